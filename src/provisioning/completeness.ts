import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { DirectoryId } from '../database/ids.ts'
import { heldDeletions } from './held-acts.ts'
import { type Findings, findingsOf } from './reconcile-list.ts'
import { nameWaits } from './waiting-name-list.ts'

/** Provisioned users or groups of a directory, by state; `received` is all of them. */
export interface StateCounts {
  received: number
  /** Of a directory that observes: nothing stands in their way. */
  ready: number
  synced: number
  needsReview: number
  blocked: number
  held: number
  ignored: number
}

/** Whether all that a directory pushed is in force, and what is missing if not. */
export interface Completeness {
  groups: StateCounts
  users: StateCounts
  /** Synced groups whose new name another group has. */
  waitingNamesCount: number
  /** Member values of pushed groups that are no user of the directory. */
  unknownMembersCount: number
  /** Something was pushed, all of it is synced, no member is unknown, no difference waits, and the provider's last list was no other. */
  complete: boolean
  /** Why it is not complete, in plain words; empty where it is. */
  incomplete: string[]
  /** What the provider's own list came to, where one was compared. */
  compared: Findings | null
  lastPush: Date | null
}

/** Counts what a directory pushed, by state (behaviour.md, «Complete?»). */
export async function completenessOf(reader: Reader, directory: DirectoryId): Promise<Completeness> {
  const [groups, users, unknown, deletions, compared] = await Promise.all([
    groupCounts(reader, directory),
    userCounts(reader, directory),
    unknownMembers(reader, directory),
    heldDeletions(reader, directory),
    findingsOf(reader, directory),
  ])
  const incomplete = whyIncomplete(groups, users, { unknown, deletions }, compared)
  return {
    groups: groups.counts,
    users: users.counts,
    waitingNamesCount: groups.waitingNames,
    unknownMembersCount: unknown,
    complete: incomplete.length === 0,
    incomplete,
    compared: compared ?? null,
    lastPush: later(groups.lastPush, users.lastPush),
  }
}

type Counted = ReturnType<typeof split>

function whyIncomplete(
  groups: Counted,
  users: Counted,
  { unknown, deletions }: { unknown: number; deletions: number },
  compared: Findings | undefined,
): string[] {
  if (groups.counts.received + users.counts.received + deletions === 0) return ['Nothing was pushed yet.']
  const not = (n: number, one: string, many: string) => (n === 0 ? [] : [`${n} ${n === 1 ? one : many}.`])
  const waiting = [...of('group', groups.counts), ...of('person', users.counts)]
  const differences = groups.differences - groups.waitingNames
  return [
    ...waiting,
    // Of groups that are not synced the differences are their review.
    ...(waiting.length === 0 ? not(differences, 'member waits', 'members wait') : []),
    ...not(groups.waitingNames, 'new name waits', 'new names wait'),
    ...not(
      unknown,
      'member of a pushed group is no user of the directory',
      'members of pushed groups are no users of the directory',
    ),
    ...not(deletions, 'deletion waits', 'deletions wait'),
    ...(compared === undefined ? [] : differs(compared)),
  ]
}

const stateWords = [
  ['needsReview', 'needs review', 'need review'],
  ['blocked', 'is blocked', 'are blocked'],
  ['held', 'is held', 'are held'],
  ['ignored', 'is ignored', 'are ignored'],
] as const

const of = (what: 'group' | 'person', counts: StateCounts): string[] =>
  stateWords.flatMap(([state, one, many]) => {
    const n = counts[state]
    return n === 0 ? [] : [`${n} ${n === 1 ? `${what} ${one}` : `${what === 'group' ? 'groups' : 'people'} ${many}`}.`]
  })

function differs({ comparedAt, missing, extra, unknownPeople, isEqual }: Findings): string[] {
  if (isEqual) return []
  const counts = [
    [missing.groups, 'groups missing'],
    [extra.groups, 'groups extra'],
    [missing.members, 'members missing'],
    [extra.members, 'members extra'],
    [unknownPeople, 'people unknown'],
  ] as const
  const said = counts.flatMap(([n, what]) => (n === 0 ? [] : [`${n} ${what}`])).join(', ')
  return [
    `The provider's own list of ${comparedAt.toISOString()} was another: ${said}. Have it push them again, then compare again.`,
  ]
}

const byState = sql`
  count(*)::int as received,
  (count(*) filter (where state = 'ready'))::int as ready,
  (count(*) filter (where state = 'synced'))::int as synced,
  (count(*) filter (where state = 'needs_review'))::int as "needsReview",
  (count(*) filter (where state = 'blocked'))::int as blocked,
  (count(*) filter (where state = 'held'))::int as held,
  (count(*) filter (where state = 'ignored'))::int as ignored`

async function groupCounts(reader: Reader, directory: DirectoryId) {
  const { rows } = await sql<StateCounts & Beside>`
    select ${byState}, max(greatest(p.created_at, p.members_written_at)) as "lastPush",
      coalesce(sum(g.add_count + g.remove_count + case when g.name = p.name or p.keeps_name then 0 else 1 end), 0)::int as differences,
      (count(*) filter (where ${nameWaits}))::int as "waitingNames"
    from provisioned_groups p join groups g on g.org_id = p.org_id and g.id = p.group_id
    where p.org_id = ${reader.orgId} and p.directory_id = ${directory}`.execute(reader)
  return split(rows)
}

async function userCounts(reader: Reader, directory: DirectoryId) {
  const { rows } = await sql<StateCounts & Beside>`
    select ${byState}, max(updated_at) as "lastPush", 0 as differences, 0 as "waitingNames"
    from provisioned_users where org_id = ${reader.orgId} and directory_id = ${directory}`.execute(reader)
  return split(rows)
}

interface Beside {
  lastPush: Date | null
  differences: number
  waitingNames: number
}

function split(rows: (StateCounts & Beside)[]) {
  const [row] = rows
  if (!row) throw new Error('An aggregate answers one row.')
  const { lastPush, differences, waitingNames, ...counts } = row
  return { counts, lastPush, differences, waitingNames }
}

async function unknownMembers(reader: Reader, directory: DirectoryId): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from unknown_members u
    join provisioned_groups p on p.org_id = u.org_id and p.id = u.provisioned_group_id
    where u.org_id = ${reader.orgId} and p.directory_id = ${directory}`.execute(reader)
  return rows[0]?.count ?? 0
}

const later = (one: Date | null, other: Date | null): Date | null =>
  one === null || (other !== null && other > one) ? other : one
