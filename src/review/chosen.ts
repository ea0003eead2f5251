import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, DirectoryId, ProvisionedGroupId } from '../database/ids.ts'
import type { SyncChoice } from '../database/tables.ts'
import { accountIdsOf } from '../organization/accounts.ts'
import { groupIdsByKey } from '../organization/groups.ts'
import { nameKey } from '../organization/name-key.ts'
import { checkedName } from '../organization/name-rules.ts'
import { Refusal } from '../organization/refusal.ts'
import { followsIn } from '../provisioning/groups.ts'
import type { Choices, Chosen } from './differences.ts'
import { chosenGroups, groupsCalled, type Selection } from './selection.ts'

/** What is asked for: which groups, and what is to become of them. */
export interface Asked {
  selection: Selection
  /** Of the groups for which nothing else is said. */
  choice: SyncChoice
  /** By id or name of a group. */
  choices?: Record<string, SyncChoice> | undefined
  /** What groups are called after that are renamed, by id or name of the pushed one; else a free name like theirs. */
  newNames?: Record<string, string> | undefined
  /** Of `drop_kept`: the people who are dropped, by id or user name; else all who are kept. */
  people?: readonly string[] | undefined
}

/**
 * The groups of a directory that are meant, with what is chosen for each.
 * @throws Refusal `not_found`, `unknown_members` for a group or people that are not there, `name_taken`, `invalid_value` for a new name
 */
export async function chosenWithChoices(
  reader: Reader,
  directoryId: DirectoryId,
  asked: Asked,
): Promise<{ ids: ProvisionedGroupId[]; blocked: number; choices: Choices }> {
  const { selection, choice, choices = {}, newNames = {} } = asked
  const { ids, blocked, missing, people } =
    choice === 'drop_kept'
      ? await groupsWithKept(reader, directoryId, selection, asked.people)
      : { ...(await chosenGroups(reader, directoryId, selection)), people: undefined }
  if (missing.length > 0) throw noSuchGroup(missing)
  await refuseTakenNames(reader, Object.values(newNames))
  const told = [...new Set([...Object.keys(choices), ...Object.keys(newNames)])]
  const found = new Map<string, ProvisionedGroupId>()
  for (const { id, nameKey: key } of told.length === 0 ? [] : await groupsCalled(reader, directoryId, told))
    found.set(id, id).set(key, id)
  const chosen = new Map<ProvisionedGroupId, Chosen>(ids.map((id) => [id, { choice, people: people?.get(id) }]))
  for (const name of told) {
    const id = found.get(name.toLowerCase()) ?? found.get(nameKey(name))
    if (id === undefined) throw noSuchGroup([name])
    const now = chosen.get(id)
    // What is blocked or settled is left out of a selection, with what was chosen for it.
    if (now) chosen.set(id, { ...now, choice: choices[name] ?? now.choice, newName: newNames[name] ?? now.newName })
  }
  return { ids, blocked, choices: chosen }
}

/** Groups with members whom a merge kept, among those that are meant: by id or name, or all; with those of these people who are kept in each. */
async function groupsWithKept(
  reader: Reader,
  directoryId: DirectoryId,
  selection: Selection,
  people: readonly string[] | undefined,
) {
  const org = reader.orgId
  const asked = selection.mode === 'ids' ? selection.ids : undefined
  const called = asked && (await groupsCalled(reader, directoryId, asked))
  const except = selection.mode === 'filter' ? await groupsCalled(reader, directoryId, selection.except ?? []) : []
  const among = called?.map(({ id }) => id) ?? null
  const accounts = people === undefined ? null : await accountIdsOf(reader, people)
  const { rows } = await sql<{ id: ProvisionedGroupId; kept: AccountId[] }>`
    select p.id, k.kept from provisioned_groups p
    cross join lateral (select from groups where org_id = ${org} and id = p.group_id and remove_count > 0 offset 0) o
    cross join lateral (
      select array_agg(account_id) as kept from memberships m
      where m.org_id = ${org} and m.group_id = p.group_id and m.waiting = 'kept' and (${accounts}::uuid[] is null or account_id = any(${accounts}::uuid[]))
    ) k
    where p.org_id = ${org} and p.directory_id = ${directoryId} and ${followsIn('p.state')} and k.kept is not null
      and (${among}::uuid[] is null or p.id = any(${among}::uuid[])) and p.id <> all(${except.map(({ id }) => id)}::uuid[])
    order by p.name_key`.execute(reader)
  const known = new Set(called?.flatMap(({ id, nameKey: key }) => [id as string, key]))
  return {
    ids: rows.map(({ id }) => id),
    people: accounts === null ? undefined : new Map(rows.map(({ id, kept }) => [id, kept])),
    blocked: 0,
    missing: (asked ?? []).filter((name) => !known.has(name.toLowerCase()) && !known.has(nameKey(name))),
  }
}

// Names are checked before anything is done: each free, and none given twice.
async function refuseTakenNames(reader: Reader, newNames: string[]): Promise<void> {
  const keys = newNames.map((name) => nameKey(checkedName('group name', name)))
  const taken = await groupIdsByKey(reader, keys)
  const seen = new Set<string>()
  const at = keys.findIndex((key) => taken.has(key) || seen.size === seen.add(key).size)
  if (at >= 0)
    throw new Refusal('name_taken', `A group named "${newNames[at]}" already exists, or is to. Choose another name.`, {
      name: newNames[at],
    })
}

const noSuchGroup = (missing: string[]) =>
  new Refusal('not_found', `"${missing[0]}" is no pushed group of this directory. List its reviews to see their names.`, {
    missing: missing.slice(0, 10),
  })
