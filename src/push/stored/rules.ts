import { sql } from 'kysely'
import { Value } from 'typebox/value'
import type { Reader, Trx } from '../../database/connection.ts'
import { isId, newId, type PushRuleId, type PushTargetId } from '../../database/ids.ts'
import { found, type Listed, type Listing, list } from '../../organization/listing.ts'
import { appendLog } from '../../organization/log.ts'
import { nameKey } from '../../organization/name-key.ts'
import { checkedName } from '../../organization/name-rules.ts'
import { Refusal } from '../../organization/refusal.ts'
import { matcherOf, RuleCondition } from '../rules.ts'
import { keepOrUnlinkOf } from './mappings.ts'
import { findPushTarget } from './targets.ts'

/** A stored rule: groups of the target's source that match are mapped by themselves. */
export interface StoredRule {
  id: PushRuleId
  name: string
  target: { id: PushTargetId; name: string }
  condition: RuleCondition
  mappings: number
  createdAt: Date
}

const columns = sql`push_rules.id, push_rules.name, jsonb_build_object('id', push_targets.id, 'name', push_targets.name) as target, condition,
  push_rules.created_at as "createdAt", (select count(*)::integer from push_mappings
    where org_id = push_rules.org_id and target_id = push_rules.target_id and rule_id = push_rules.id) as mappings`
const rows = (reader: Reader) => sql`push_rules join push_targets on push_targets.org_id = push_rules.org_id
  and push_targets.id = target_id where push_rules.org_id = ${reader.orgId}`

/** The rules, sorted by name or createdAt. @throws Refusal `invalid_value` */
export function listPushRules(reader: Reader, listing: Listing, target?: PushTargetId): Promise<Listed<StoredRule>> {
  const ofTarget = sql`(${target ?? null}::uuid is null or target_id = ${target ?? null}::uuid)`
  return list(reader, listing, {
    columns,
    from: sql`${rows(reader)} and ${ofTarget} and ${found(listing, 'push_rules.name_key')}`,
    sorts: { name: 'push_rules.name_key', createdAt: 'push_rules.created_at' },
    usual: 'name',
    last: 'push_rules.id',
  })
}

/** One, by id or name. @throws Refusal `not_found` */
export async function findPushRule(reader: Reader, given: string): Promise<StoredRule> {
  const all = await sql<StoredRule>`
    select ${columns} from ${rows(reader)}
      and (push_rules.id = ${isId(given) ? given : null}::uuid or push_rules.name_key = ${nameKey(given)})`.execute(reader)
  if (all.rows[0] === undefined) throw new Refusal('not_found', 'There is no such push rule. List them to see their names.')
  return all.rows[0]
}

/** Makes the rule of that name be so. @throws Refusal `invalid_value`, `not_found` where there is no such target */
export async function savePushRule(trx: Trx, given: { name: string; target: string; condition: unknown }): Promise<StoredRule> {
  const name = checkedName('name of the rule', given.name)
  const condition = readCondition(given.condition)
  const target = await findPushTarget(trx, given.target)
  const saved = await sql<{ id: PushRuleId }>`
    insert into push_rules (org_id, id, target_id, name, name_key, condition)
    values (${trx.orgId}, ${newId<PushRuleId>()}, ${target.id}, ${name}, ${nameKey(name)}, ${JSON.stringify(condition)})
    on conflict (org_id, name_key) do update set name = excluded.name, target_id = excluded.target_id, condition = excluded.condition
    returning id`.execute(trx)
  const id = saved.rows[0]?.id ?? ''
  await appendLog(trx, { action: 'push.saved', subject: id, facts: { what: 'rule', name, after: { condition } } })
  return findPushRule(trx, id)
}

/** A condition from outside, whose patterns can be used. @throws Refusal `invalid_value` */
export function readCondition(given: unknown): RuleCondition {
  if (!Value.Check(RuleCondition, given)) {
    const error = Value.Errors(RuleCondition, given)[0]
    throw new Refusal('invalid_value', `The condition is not right: ${error?.instancePath.slice(1)} ${error?.message}.`)
  }
  matcherOf(given)
  return given
}

/** Removes a rule; what it mapped stays mapped by name, or is no longer pushed. @throws Refusal `not_found` */
export async function removePushRule(trx: Trx, given: string, mappings: 'keep' | 'unlink'): Promise<void> {
  const { id, name } = await findPushRule(trx, given)
  await keepOrUnlinkOf(trx, id, mappings)
  await sql`delete from push_rules where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
  await appendLog(trx, { action: 'push.removed', subject: id, facts: { what: 'rule', name, mappings } })
}
