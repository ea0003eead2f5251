import { sql } from 'kysely'
import type { Reader, Trx } from '../../database/connection.ts'
import { isId, newId, type PushMappingId, type PushRuleId, type PushTargetId } from '../../database/ids.ts'
import type { PushMappingState } from '../../database/tables.ts'
import { found, type Listed, type Listing, list } from '../../organization/listing.ts'
import { appendLog } from '../../organization/log.ts'
import { checkedName } from '../../organization/name-rules.ts'
import { Refusal } from '../../organization/refusal.ts'

/** A source group that is pushed, and what of it. */
export interface Mapping {
  id: PushMappingId
  target: { id: PushTargetId; name: string }
  /** The source's id of the group, or its name key. */
  sourceKey: string
  sourceName: string
  /** The name there, where it is another. */
  targetName: string | null
  /** The target's own id; null: it was not pushed yet. */
  targetGroupId: string | null
  rule: string | null
  state: PushMappingState
  /** Why it could not be pushed, in the target's own words. */
  error: string | null
  /** Who was confirmed. */
  memberCount: number | null
  /** Since when the source has the group no more: three days later it is deleted in the target. */
  goneSince: Date | null
  /** Since when the rule that mapped it no longer matches. */
  unmatchedSince: Date | null
  pushedAt: Date | null
  createdAt: Date
}
export interface MappingWithMembers extends Mapping {
  ruleId: PushRuleId | null
  confirmed: string[] | null
  /** Gone for three days or more. */
  isOverdue: boolean
}

const columns = sql`m.id, jsonb_build_object('id', t.id, 'name', t.name) as target, m.source_key as "sourceKey", m.source_name as "sourceName",
  m.target_name as "targetName", m.target_group_id as "targetGroupId", r.name as rule, m.state, m.error, m.member_count as "memberCount",
  m.gone_since as "goneSince", m.unmatched_since as "unmatchedSince", m.pushed_at as "pushedAt", m.created_at as "createdAt"`
const rows = (reader: Reader) => sql`push_mappings m
  join push_targets t on t.org_id = m.org_id and t.id = m.target_id
  left join push_rules r on r.org_id = m.org_id and r.id = m.rule_id
  where m.org_id = ${reader.orgId}`

export interface MappingFilter {
  target?: PushTargetId | undefined
  state?: PushMappingState | undefined
}

/** The mappings, sorted by sourceName, state, pushedAt or createdAt. @throws Refusal `invalid_value` */
export function listMappings(reader: Reader, listing: Listing, { target, state }: MappingFilter): Promise<Listed<Mapping>> {
  const filter = sql`(${target ?? null}::uuid is null or m.target_id = ${target ?? null}::uuid)
    and (${state ?? null}::text is null or m.state = ${state ?? null})`
  return list(reader, listing, {
    columns,
    from: sql`${rows(reader)} and ${filter} and ${found(listing, 'lower(m.source_name)', 'lower(m.target_name)')}`,
    sorts: { sourceName: 'lower(m.source_name)', state: 'm.state', pushedAt: 'm.pushed_at', createdAt: 'm.created_at' },
    usual: 'sourceName',
    last: 'm.id',
  })
}

/** One, by id. @throws Refusal `not_found` */
export async function findMapping(reader: Reader, given: string): Promise<Mapping> {
  const all = await sql<Mapping>`
    select ${columns} from ${rows(reader)} and m.id = ${isId(given) ? given : null}::uuid`.execute(reader)
  if (all.rows[0] === undefined) throw new Refusal('not_found', 'There is no such mapping. List them to see their ids.')
  return all.rows[0]
}

/** All of a target, with who was confirmed in each. */
export async function mappingsOf(reader: Reader, target: PushTargetId): Promise<MappingWithMembers[]> {
  const all = await sql<MappingWithMembers>`
    select ${columns}, m.rule_id as "ruleId", m.confirmed, m.gone_since < now() - interval '3 days' is true as "isOverdue"
    from ${rows(reader)} and m.target_id = ${target} order by m.id`.execute(reader)
  return all.rows
}

/** A mapping that is to be, or is there already. */
export interface NewMapping {
  sourceKey: string
  sourceName: string
  targetName: string | null
  ruleId: PushRuleId | null
}

/** Adds mappings; those that are there stay as they are. @returns how many are new */
export async function addMappings(trx: Trx, target: PushTargetId, given: NewMapping[]): Promise<number> {
  const added = await sql<{ sourceName: string }>`
    insert into push_mappings (org_id, id, target_id, source_key, source_name, target_name, rule_id)
    select ${trx.orgId}, id, ${target}, source_key, source_name, target_name, rule_id
    from unnest(${given.map(() => newId<PushMappingId>())}::uuid[], ${given.map((one) => one.sourceKey)}::text[],
      ${given.map((one) => one.sourceName)}::text[], ${given.map((one) => one.targetName)}::text[],
      ${given.map((one) => one.ruleId)}::uuid[]) as new (id, source_key, source_name, target_name, rule_id)
    on conflict (org_id, target_id, source_key) do nothing returning source_name as "sourceName"`.execute(trx)
  if (added.rows.length > 0)
    await appendLog(trx, {
      action: 'push.saved',
      subject: target,
      facts: {
        what: 'mappings',
        name: added.rows
          .slice(0, 10)
          .map((one) => one.sourceName)
          .join(', '),
        count: added.rows.length,
      },
    })
  return added.rows.length
}

/** Notes what the source and the rules say now: names, and which mappings are gone or no longer match, since when. */
export async function noteMatches(
  trx: Trx,
  target: PushTargetId,
  seen: { id: PushMappingId; sourceName: string; isGone: boolean; isUnmatched: boolean; stops: boolean }[],
): Promise<void> {
  await sql`
    update push_mappings m set source_name = seen.source_name,
      gone_since = case when seen.is_gone then coalesce(gone_since, now()) end,
      unmatched_since = case when seen.is_unmatched then coalesce(unmatched_since, now()) end,
      state = case when seen.stops then 'inactive' else state end
    from unnest(${seen.map(({ id }) => id)}::uuid[], ${seen.map((one) => one.sourceName)}::text[], ${seen.map((one) => one.isGone)}::boolean[],
      ${seen.map((one) => one.isUnmatched)}::boolean[], ${seen.map((one) => one.stops)}::boolean[])
      as seen (id, source_name, is_gone, is_unmatched, stops)
    where m.org_id = ${trx.orgId} and m.target_id = ${target} and m.id = seen.id
      and (m.source_name, m.gone_since is not null, m.unmatched_since is not null, m.state = 'inactive')
        is distinct from (seen.source_name, seen.is_gone, seen.is_unmatched, seen.stops or m.state = 'inactive')`.execute(trx)
}

/** What was confirmed of mappings, or why they could not be pushed. */
export interface Confirmed {
  id: PushMappingId
  targetGroupId: string | null
  /** Null: as before. */
  members: string[] | null
  error: string | null
}

/** Notes what a push did of mappings. */
export async function noteConfirmed(trx: Trx, confirmed: Confirmed[]): Promise<void> {
  // Lists of lists cannot differ in length in an array of PostgreSQL's: members go as JSON.
  const members = confirmed.map((one) => (one.members === null ? null : JSON.stringify(one.members)))
  await sql`
    update push_mappings m set state = case when c.error is null then 'active' else 'error' end, error = c.error,
      target_group_id = coalesce(c.target_group_id, m.target_group_id),
      confirmed = case when c.members is null then m.confirmed else array(select jsonb_array_elements_text(c.members::jsonb)) end,
      member_count = case when c.members is null then m.member_count else jsonb_array_length(c.members::jsonb) end,
      pushed_at = case when c.error is null then now() else m.pushed_at end
    from unnest(${confirmed.map(({ id }) => id)}::uuid[], ${confirmed.map((one) => one.targetGroupId)}::text[], ${members}::text[],
      ${confirmed.map((one) => one.error)}::text[]) as c (id, target_group_id, members, error)
    where m.org_id = ${trx.orgId} and m.id = c.id`.execute(trx)
}

/** Changes a mapping: active or not, the name there, the group there that it is linked to. @throws Refusal `not_found`, `invalid_value` */
export async function changeMapping(
  trx: Trx,
  given: string,
  want: {
    state?: 'active' | 'inactive' | undefined
    targetName?: string | null | undefined
    targetGroupId?: string | null | undefined
  },
): Promise<Mapping> {
  const have = await findMapping(trx, given)
  const targetName = want.targetName ? checkedName('name there', want.targetName) : want.targetName
  await sql`
    update push_mappings set state = ${want.state ?? have.state}, error = case when ${want.state ?? null}::text is null then error end,
      target_name = ${targetName === undefined ? have.targetName : targetName},
      target_group_id = ${want.targetGroupId === undefined ? have.targetGroupId : want.targetGroupId},
      confirmed = case when ${want.targetGroupId !== undefined} then null else confirmed end
    where org_id = ${trx.orgId} and id = ${have.id}`.execute(trx)
  await appendLog(trx, { action: 'push.saved', subject: have.id, facts: { what: 'mapping', name: have.sourceName, after: want } })
  return findMapping(trx, have.id)
}

/** Removes a mapping that is not active: the group there stays. @throws Refusal `not_found`, `push_in_use` */
export async function removeMapping(trx: Trx, given: string): Promise<void> {
  const { id, sourceName, state } = await findMapping(trx, given)
  if (state === 'active') throw new Refusal('push_in_use', `${sourceName} is pushed. Make it inactive first.`, { state })
  await removeMappings(trx, [id])
  await appendLog(trx, { action: 'push.removed', subject: id, facts: { what: 'mapping', name: sourceName } })
}

/** Removes mappings of groups that are deleted there. */
export async function removeMappings(trx: Trx, ids: PushMappingId[]): Promise<void> {
  await sql`delete from push_mappings where org_id = ${trx.orgId} and id = any(${ids}::uuid[])`.execute(trx)
}

/** What becomes of a rule's mappings with it: they stay, by name; or are pushed no more. */
export async function keepOrUnlinkOf(trx: Trx, rule: PushRuleId, what: 'keep' | 'unlink'): Promise<void> {
  if (what === 'unlink') await sql`delete from push_mappings where org_id = ${trx.orgId} and rule_id = ${rule}`.execute(trx)
  else await sql`update push_mappings set rule_id = null where org_id = ${trx.orgId} and rule_id = ${rule}`.execute(trx)
}
