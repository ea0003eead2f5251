import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId, type ProvisionedGroupId, type RunId } from '../database/ids.ts'
import type { Jobs } from '../database/jobs.ts'
import type { GroupState } from '../database/tables.ts'
import { planForSets } from '../database/transaction.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import { lockDirectory, refuseObserving } from '../provisioning/directories.ts'
import { disconnect, disconnectionOf } from '../provisioning/disconnection.ts'
import { lockConcerned } from '../provisioning/groups.ts'
import { takeOverPair } from '../provisioning/taken-over.ts'
import { type GroupOutcome, insertRun, type PendingGroup, type RunTerms, recordOutcome, skipped, takePlace } from './runs.ts'

interface Directory {
  id: DirectoryId
  name: string
}

/** What it comes to that a directory takes an old one's groups over. Nobody's access changes by it. */
export interface TakeOver {
  directory: Directory
  from: Directory & { isDisconnected: boolean }
  groups: {
    /** Groups of the old directory that it pushes too, found by the provider's id of them, then by name. */
    byExternalId: number
    byName: number
    /** Those with the same members: linked without a review. */
    equal: number
    differing: number
    /** Synced groups of the old directory that it does not push: they stay, unmanaged. */
    left: number
  }
  /** Accounts of the old directory that it pushes too, and owns from then on; that stay as they are, and nobody's. */
  people: { handedOver: number; released: number }
  fingerprint: string
}

/** @throws Refusal `not_found`, the same for a directory of another organization, `directory_observing` */
export async function previewTakeOver(reader: Reader, directory: Directory, from: string): Promise<TakeOver> {
  const { pairs: _, ...shown } = await plan(reader, directory, from)
  return shown
}

/**
 * Starts the run in which a directory takes over an old one's groups (behaviour.md, «A directory's life»): those with equal members are its own,
 * the others are up for review. The old one is disconnected, if it is not, and no ghost of it is left to conflict with.
 * @throws Refusal as `previewTakeOver`; `review_changed`, `run_under_way`
 */
export async function startTakeOver(
  trx: Trx,
  jobs: Pick<Jobs, 'send'>,
  request: { directory: Directory; from: string; fingerprint: string; note: string | null },
): Promise<RunId> {
  await planForSets(trx)
  await lockDirectory(trx, request.directory.id)
  const { pairs, ...shown } = await plan(trx, request.directory, request.from)
  if (shown.fingerprint !== request.fingerprint)
    throw new Refusal(
      'review_changed',
      'What taking over comes to has changed. Nothing was done. Look at the new figures, then go on with their fingerprint.',
      { fingerprint: shown.fingerprint, takeOver: shown },
    )
  const { from } = shown
  if (!from.isDisconnected) await disconnect(trx, jobs, from, (await disconnectionOf(trx, from.id)).fingerprint)
  const runId = await insertRun(trx, {
    kind: 'take_over',
    directoryId: request.directory.id,
    choice: 'overwrite',
    acceptIncomplete: true,
    acceptEmpty: false,
    note: request.note ?? `From ${from.name}`,
    fingerprint: shown.fingerprint,
    foreseen: { ...noEffect, groups: pairs.length, blocked: 0 },
    approval: null,
    groups: pairs.map(({ id, name, groupId }) => ({
      id,
      name,
      choice: 'overwrite',
      linkTo: groupId,
      expected: { digest: '', lost: [] },
    })),
  })
  await jobs.send(trx, 'sync-run', { orgId: trx.orgId, runId })
  return runId
}

/** A group of the run: it is with the group that the old directory had, and synced where nothing differs. */
export async function takeOverGroup(
  trx: Trx,
  run: RunTerms,
  { id, linkTo }: Pick<PendingGroup, 'id' | 'linkTo'>,
): Promise<GroupOutcome | undefined> {
  if (!(await takePlace(trx, run.id, id)) || linkTo == null) return undefined
  await lockConcerned(trx, { pushedIds: [id], groupIds: [linkTo] })
  const state = await takeOverPair(trx, { id, groupId: linkTo }, { runId: run.id, directoryId: run.directoryId })
  return recordOutcome(trx, run.id, id, outcomes[state])
}

const outcomes: Record<GroupState | 'gone', GroupOutcome> = {
  synced: { result: 'synced', reason: null, detail: null, added: 0, removed: 0 },
  held: skipped('already_synced'),
  needs_review: skipped('needs_review'),
  blocked: skipped('blocked'),
  ready: skipped('not_possible', 'Its directory observes.'),
  ignored: skipped('no_longer_needs_review'),
  gone: skipped('gone'),
}

const noEffect = {
  members: { added: 0, removed: 0 },
  access: { lost: 0, gained: 0, peopleLosing: 0, peopleGaining: 0, leftWithNone: 0, jointLosses: 0 },
  matrix: [],
  warnings: [],
  jointLosses: { accesses: 0, groups: [] },
}

interface Pair {
  id: ProvisionedGroupId
  name: string
  groupId: GroupId
  isEqual: boolean
}

async function plan(reader: Reader, directory: Directory, asked: string): Promise<TakeOver & { pairs: Pair[] }> {
  await refuseObserving(reader, directory.id)
  const from = await oldDirectory(reader, directory.id, asked)
  const [had, pushed] = [await groupsOfOld(reader, from), await groupsOfNew(reader, directory.id)]
  const byExternalId = new Map(had.flatMap((old) => (old.externalId === null ? [] : [[old.externalId, old] as const])))
  const byName = new Map(had.map((old) => [nameKey(old.name), old]))
  const taken = new Set<GroupId>()
  const found: { id: ProvisionedGroupId; name: string; groupId: GroupId }[] = []
  const take = (group: PushedGroup, old: OldGroup | undefined) => {
    if (old === undefined || taken.has(old.groupId)) return false
    taken.add(old.groupId)
    found.push({ id: group.id, name: group.name, groupId: old.groupId })
    return true
  }
  const others = pushed.filter((group) => group.externalId === null || !take(group, byExternalId.get(group.externalId)))
  const idCount = found.length
  for (const group of others) take(group, byName.get(nameKey(group.name)))
  const equal = await equalPairs(reader, found)
  const pairs = found.map((pair): Pair => ({ ...pair, isEqual: equal.has(pair.id) }))
  const groups = {
    byExternalId: idCount,
    byName: pairs.length - idCount,
    equal: equal.size,
    differing: pairs.length - equal.size,
    left: had.length - pairs.length,
  }
  const people = await peopleOf(reader, directory.id, from.id)
  const told = pairs.map(({ id, groupId, isEqual }) => `${id}>${groupId}${isEqual ? '=' : ''}`).sort()
  const fingerprint = createHash('sha256')
    .update(JSON.stringify(['muster.take_over.1', directory.id, from.id, told, groups.left]))
    .digest('hex')
  return { directory: { id: directory.id, name: directory.name }, from, groups, people, fingerprint, pairs }
}

async function oldDirectory(reader: Reader, except: DirectoryId, asked: string): Promise<TakeOver['from']> {
  const { rows } = await sql<TakeOver['from']>`
    select id, name, disconnected_at is not null as "isDisconnected" from directories
    where org_id = ${reader.orgId} and id <> ${except} and (id = ${isId(asked) ? asked : null}::uuid or name_key = ${nameKey(asked)})
    order by disconnected_at desc nulls first limit 1`.execute(reader)
  if (rows[0] === undefined)
    throw new Refusal('not_found', 'There is no such directory. List them, connected and disconnected, to see their names.')
  return rows[0]
}

interface OldGroup {
  externalId: string | null
  name: string
  groupId: GroupId
}

/** What the old directory had synced: its pushed groups, and those that the log says were let go of as it was disconnected. */
async function groupsOfOld(reader: Reader, { id }: Directory): Promise<OldGroup[]> {
  const { rows } = await sql<OldGroup>`
    select external_id as "externalId", name, group_id as "groupId" from provisioned_groups
    where org_id = ${reader.orgId} and directory_id = ${id} and state in ('synced', 'held')
    union
    select l."externalId", l.name, l.group_id from (
      select facts #>> '{before,externalId}' as "externalId", facts #>> '{before,name}' as name, (facts #>> '{before,groupId}')::uuid as group_id
      from log_entries where org_id = ${reader.orgId} and directory_id = ${id} and action = 'group.provision_deleted'
        and facts #>> '{before,state}' in ('synced', 'held') and id > (
          select max(id) from log_entries where org_id = ${reader.orgId} and subject = ${id} and action = 'directory.disconnected')
    ) l
    cross join lateral (
      select from groups where org_id = ${reader.orgId} and id = l.group_id and effective and managed_by is null offset 0
    ) o`.execute(reader)
  return rows
}

interface PushedGroup extends OldGroup {
  id: ProvisionedGroupId
}

async function groupsOfNew(reader: Reader, id: DirectoryId): Promise<PushedGroup[]> {
  const { rows } = await sql<PushedGroup>`
    select id, external_id as "externalId", name, group_id as "groupId" from provisioned_groups
    where org_id = ${reader.orgId} and directory_id = ${id} and state in ('needs_review', 'blocked') order by name_key`.execute(
    reader,
  )
  return rows
}

/** Those of these in which who is pushed is who is in force in the group they would be with. */
async function equalPairs(reader: Reader, pairs: readonly Omit<Pair, 'isEqual'>[]): Promise<Set<ProvisionedGroupId>> {
  const { rows } = await sql<{ id: ProvisionedGroupId }>`
    select given.id from unnest(${pairs.map(({ id }) => id)}::uuid[], ${pairs.map(({ groupId }) => groupId)}::uuid[]) as given(id, group_id)
    cross join lateral (select group_id from provisioned_groups where org_id = ${reader.orgId} and id = given.id offset 0) p
    cross join lateral (select member_count from groups where org_id = ${reader.orgId} and id = given.group_id offset 0) o
    cross join lateral (
      select count(*) as pushed, count(t.account_id) as common
      from (select account_id from memberships where org_id = ${reader.orgId} and group_id = p.group_id and pushed offset 0) m
      left join lateral (
        select account_id from memberships
        where org_id = ${reader.orgId} and group_id = given.group_id and account_id = m.account_id and effective offset 0
      ) t on true
    ) s
    where s.pushed = s.common and s.common = o.member_count`.execute(reader)
  return new Set(rows.map(({ id }) => id))
}

async function peopleOf(reader: Reader, id: DirectoryId, from: DirectoryId): Promise<TakeOver['people']> {
  const { rows } = await sql<TakeOver['people']>`
    select (count(*) filter (where u.is_pushed))::integer as "handedOver", (count(*) filter (where not u.is_pushed))::integer as released
    from accounts a
    cross join lateral (
      select exists (select from provisioned_users where org_id = ${reader.orgId} and directory_id = ${id} and account_id = a.id) as is_pushed
    ) u
    where a.org_id = ${reader.orgId} and a.owned_by = ${from}`.execute(reader)
  return rows[0] ?? { handedOver: 0, released: 0 }
}
