import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type AccountId, type DirectoryId, type GroupId, isId, type ProvisionedGroupId } from '../database/ids.ts'
import type { SyncChoice } from '../database/tables.ts'
import { accountIdsOf } from '../organization/accounts.ts'
import { groupIdsByKey } from '../organization/groups.ts'
import { nameKey } from '../organization/name-key.ts'
import { checkedName } from '../organization/name-rules.ts'
import { Refusal } from '../organization/refusal.ts'
import { followsIn } from '../provisioning/groups.ts'
import { type LinkPreview, previewLinks } from '../provisioning/linking.ts'
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
  /** The existing group that a pushed one is linked to first, whatever its name: ids or names of both. The choice is then about that one. */
  links?: Record<string, string> | undefined
  /** Of `drop_kept`: the people who are dropped, by id or user name; else all who are kept. */
  people?: readonly string[] | undefined
}

/**
 * The groups of a directory that are meant, with what is chosen for each.
 * @throws Refusal `not_found`, `unknown_members` for a group or people that are not there, `name_taken`, `invalid_value` for a new name; of a
 * link `choice_not_possible`, and why its group cannot be linked to
 */
export async function chosenWithChoices(
  reader: Reader,
  directoryId: DirectoryId,
  asked: Asked,
): Promise<{ ids: ProvisionedGroupId[]; blocked: number; choices: Choices; links: Links }> {
  const { selection, choice, choices = {}, newNames = {}, links = {} } = asked
  const { ids, blocked, missing, people } =
    choice === 'drop_kept'
      ? await groupsWithKept(reader, directoryId, selection, asked.people)
      : { ...(await chosenGroups(reader, directoryId, selection)), people: undefined }
  if (missing.length > 0) throw noSuchGroup(missing)
  await refuseTakenNames(reader, Object.values(newNames))
  const told = [...new Set([...Object.keys(choices), ...Object.keys(newNames), ...Object.keys(links)])]
  const found = new Map<string, ProvisionedGroupId>()
  for (const { id, nameKey: key } of told.length === 0 ? [] : await groupsCalled(reader, directoryId, told))
    found.set(id, id).set(key, id)
  const chosen = new Map<ProvisionedGroupId, Chosen>(ids.map((id) => [id, { choice, people: people?.get(id) }]))
  const linked = new Map<ProvisionedGroupId, string>()
  for (const name of told) {
    const id = found.get(name.toLowerCase()) ?? found.get(nameKey(name))
    if (id === undefined) throw noSuchGroup([name])
    const now = chosen.get(id)
    // What is blocked or settled is left out of a selection, with what was chosen for it.
    if (now === undefined) continue
    chosen.set(id, { ...now, choice: choices[name] ?? now.choice, newName: newNames[name] ?? now.newName })
    if (links[name] !== undefined) linked.set(id, links[name])
  }
  const previews = await linksOf(reader, linked)
  for (const [id, { to }] of previews) chosen.set(id, linkedTo(to, chosen.get(id)))
  return { ids, blocked, choices: chosen, links: previews }
}

/** What each link would come to, by the pushed group. */
export type Links = ReadonlyMap<ProvisionedGroupId, LinkPreview>

async function linksOf(reader: Reader, asked: ReadonlyMap<ProvisionedGroupId, string>): Promise<Links> {
  if (asked.size === 0) return new Map()
  const byKey = await groupIdsByKey(reader, [...asked.values()].map(nameKey))
  const given = [...asked].flatMap(([id, name]) => {
    const groupId = byKey.get(nameKey(name)) ?? (isId(name) ? (name.toLowerCase() as GroupId) : undefined)
    return groupId === undefined ? [] : [{ id, groupId }]
  })
  const links = new Map((await previewLinks(reader, given)).map((link) => [link.preview.group.id, link]))
  const seen = new Set<GroupId>()
  for (const [id, name] of asked) {
    const link = links.get(id)
    if (link === undefined)
      throw new Refusal('not_found', `"${name}" is no group of the organization: nothing can be linked to it.`, { group: name })
    if (link.refusal) throw link.refusal
    // Linked to it, or of its name: the choice is about that one already.
    if (link.isPaired) links.delete(id)
    if (seen.size === seen.add(link.preview.to.id).size)
      throw new Refusal('choice_not_possible', `Two groups cannot be linked to "${link.preview.to.name}". Choose one of them.`, {
        group: link.preview.to,
      })
  }
  return new Map([...links].map(([id, { preview }]) => [id, preview]))
}

function linkedTo({ id: linkTo, name }: LinkPreview['to'], chosen: Chosen = { choice: 'overwrite' }): Chosen {
  if (chosen.choice === 'overwrite' || chosen.choice === 'merge') return { ...chosen, linkTo }
  throw new Refusal(
    'choice_not_possible',
    `What is linked to "${name}" is overwritten or merged. Choose one of these, or leave the link out.`,
    { group: name, choice: chosen.choice },
  )
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
