import { sql } from 'kysely'
import type { Reader, Trx } from '../../database/connection.ts'
import { isId, newId, type PushSourceId, type PushTargetId } from '../../database/ids.ts'
import { type SecretKeys, seal, sealedAnew, unseal } from '../../database/secrets.ts'
import { found, type Listed, type Listing, list } from '../../organization/listing.ts'
import { appendLog } from '../../organization/log.ts'
import { nameKey } from '../../organization/name-key.ts'
import { checkedName } from '../../organization/name-rules.ts'
import { Refusal } from '../../organization/refusal.ts'
import type { ProfileName } from '../target/profile.ts'
import { findPushSource } from './sources.ts'

/** A stored target, with the source that it gets its groups from. Its token is shown to nobody. */
export interface StoredTarget {
  id: PushTargetId
  name: string
  source: { id: PushSourceId; name: string }
  url: string
  profile: ProfileName | 'learnt'
  ca: string | null
  hasSecret: boolean
  isPaused: boolean
  /** How often it is planned by itself; null: never. */
  everyMinutes: number | null
  /** Whether such a plan is sent by itself, where the push guard lets it. */
  appliesByItself: boolean
  nextAt: Date | null
  mappings: { active: number; inactive: number; error: number }
  createdAt: Date
}

export interface TargetSettings {
  name: string
  source: string
  url: string
  profile?: StoredTarget['profile'] | undefined
  ca?: string | null | undefined
  secret?: string | undefined
  isPaused?: boolean | undefined
  everyMinutes?: number | null | undefined
  appliesByItself?: boolean | undefined
}

const columns = sql`push_targets.id, push_targets.name, jsonb_build_object('id', push_sources.id, 'name', push_sources.name) as source, url,
  profile, ca, push_targets.secret is not null as "hasSecret", is_paused as "isPaused", every_minutes as "everyMinutes",
  applies_by_itself as "appliesByItself", next_at as "nextAt", push_targets.created_at as "createdAt", (
    select jsonb_build_object('active', count(*) filter (where state = 'active'), 'inactive', count(*) filter (where state = 'inactive'),
      'error', count(*) filter (where state = 'error'))
    from push_mappings where org_id = push_targets.org_id and target_id = push_targets.id) as mappings`
const rows = (reader: Reader) => sql`push_targets join push_sources on push_sources.org_id = push_targets.org_id
  and push_sources.id = source_id where push_targets.org_id = ${reader.orgId}`

/** The targets, sorted by name or createdAt. @throws Refusal `invalid_value` */
export function listPushTargets(reader: Reader, listing: Listing): Promise<Listed<StoredTarget>> {
  return list(reader, listing, {
    columns,
    from: sql`${rows(reader)} and ${found(listing, 'push_targets.name_key')}`,
    sorts: { name: 'push_targets.name_key', createdAt: 'push_targets.created_at' },
    usual: 'name',
    last: 'push_targets.id',
  })
}

/** One, by id or name. @throws Refusal `not_found` */
export async function findPushTarget(reader: Reader, given: string): Promise<StoredTarget> {
  const found = await sql<StoredTarget>`
    select ${columns} from ${rows(reader)}
      and (push_targets.id = ${isId(given) ? given : null}::uuid or push_targets.name_key = ${nameKey(given)})`.execute(reader)
  if (found.rows[0] === undefined) throw new Refusal('not_found', 'There is no such push target. List them to see their names.')
  return found.rows[0]
}

/** A target's token, in clear. */
export async function secretOfTarget(reader: Reader, keys: SecretKeys, id: PushTargetId): Promise<string> {
  const found = await sql<{ secret: Buffer | null }>`
    select secret from push_targets where org_id = ${reader.orgId} and id = ${id}`.execute(reader)
  const sealed = found.rows[0]?.secret
  return sealed ? unseal(keys, placeOf(reader, id), sealed) : ''
}

/**
 * Makes the target of that name be so. A token that is left out stays, unless it would be sent somewhere else.
 * @throws Refusal `invalid_value`, `not_found` where there is no such source
 */
export async function savePushTarget(trx: Trx, keys: SecretKeys, given: TargetSettings): Promise<StoredTarget> {
  const name = checkedName('name of the target', given.name)
  if (!URL.canParse(given.url) || !/^https?:/.test(given.url))
    throw new Refusal('invalid_value', 'The target’s address is its SCIM base URL: https://…/scim/v2', { field: 'url' })
  const source = await findPushSource(trx, given.source)
  const have = await sql<{ id: PushTargetId; url: string; hasSecret: boolean }>`
    select id, url, secret is not null as "hasSecret" from push_targets
    where org_id = ${trx.orgId} and name_key = ${nameKey(name)} for update`.execute(trx)
  const former = have.rows[0]
  if (former?.hasSecret && given.secret === undefined && former.url !== given.url)
    throw new Refusal('invalid_value', 'A token belongs to the address that it was given for. Give that of the new one, too.')
  const id = former?.id ?? newId<PushTargetId>()
  const secret = given.secret === undefined ? null : seal(keys, placeOf(trx, id), given.secret)
  const { profile = 'learnt', ca = null, isPaused = false, everyMinutes = null, appliesByItself = false } = given
  await sql`
    insert into push_targets (org_id, id, name, name_key, source_id, url, profile, ca, secret, is_paused, every_minutes, applies_by_itself, next_at)
    values (${trx.orgId}, ${id}, ${name}, ${nameKey(name)}, ${source.id}, ${given.url}, ${profile}, ${ca}, ${secret}, ${isPaused},
      ${everyMinutes}, ${appliesByItself}, now() + ${everyMinutes}::integer * interval '1 minute')
    on conflict (org_id, id) do update set name = excluded.name, source_id = excluded.source_id, url = excluded.url,
      profile = excluded.profile, ca = excluded.ca, secret = coalesce(excluded.secret, push_targets.secret), is_paused = excluded.is_paused,
      every_minutes = excluded.every_minutes, applies_by_itself = excluded.applies_by_itself, next_at = excluded.next_at`.execute(
    trx,
  )
  await appendLog(trx, {
    action: 'push.saved',
    subject: id,
    facts: { what: 'target', name, after: { url: given.url, isPaused } },
  })
  return findPushTarget(trx, id)
}

/** Removes a target with its rules, mappings and plans. What it holds stays there. @throws Refusal `not_found` */
export async function removePushTarget(trx: Trx, given: string): Promise<void> {
  const { id, name } = await findPushTarget(trx, given)
  await sql`delete from push_targets where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
  await appendLog(trx, { action: 'push.removed', subject: id, facts: { what: 'target', name } })
}

/** Takes one target whose time has come, and sets its next. @returns undefined where none is due */
export async function takeDueTarget(trx: Trx): Promise<{ id: PushTargetId; appliesByItself: boolean } | undefined> {
  const due = await sql<{ id: PushTargetId; appliesByItself: boolean }>`
    update push_targets set next_at = now() + every_minutes * interval '1 minute'
    where org_id = ${trx.orgId} and id = (
      select id from push_targets where org_id = ${trx.orgId} and next_at <= now() and not is_paused
      order by next_at limit 1 for update skip locked)
    returning id, applies_by_itself as "appliesByItself"`.execute(trx)
  return due.rows[0]
}

/** Seals the tokens of targets anew that are under an older key. @returns how many */
export async function resealPushTargets(trx: Trx, keys: SecretKeys): Promise<number> {
  const kept = await sql<{ id: PushTargetId; secret: Buffer }>`
    select id, secret from push_targets where org_id = ${trx.orgId} and secret is not null for update`.execute(trx)
  const { ids, secrets } = sealedAnew(keys, { orgId: trx.orgId, table: 'push_targets' }, kept.rows)
  await sql`
    update push_targets set secret = anew.secret from unnest(${ids}::uuid[], ${secrets}::bytea[]) as anew (id, secret)
    where org_id = ${trx.orgId} and push_targets.id = anew.id`.execute(trx)
  return ids.length
}

const placeOf = ({ orgId }: Reader, row: PushTargetId) => ({ orgId, table: 'push_targets', row })
