import { sql } from 'kysely'
import type { Reader, Trx } from '../../database/connection.ts'
import { isId, newId, type PushSourceId } from '../../database/ids.ts'
import { type SecretKeys, seal, sealedAnew, unseal } from '../../database/secrets.ts'
import { found, type Listed, type Listing, list } from '../../organization/listing.ts'
import { appendLog } from '../../organization/log.ts'
import { nameKey } from '../../organization/name-key.ts'
import { checkedName } from '../../organization/name-rules.ts'
import { Refusal } from '../../organization/refusal.ts'
import { readSourceSettings, type SourceSettings } from '../sources/settings.ts'

/** A stored source. Its secret is shown to nobody. */
export interface StoredSource {
  id: PushSourceId
  name: string
  settings: SourceSettings
  hasSecret: boolean
  /** Of the last time that it was read to its end and used. */
  counts: { people: number; groups: number; memberships: number } | null
  readAt: Date | null
  error: string | null
  createdAt: Date
}

const columns = sql`id, name, settings, secret is not null as "hasSecret", read_at as "readAt", error, created_at as "createdAt",
  case when group_count is not null
    then jsonb_build_object('people', people_count, 'groups', group_count, 'memberships', membership_count) end as counts`

/** The sources, sorted by name, readAt or createdAt. @throws Refusal `invalid_value` */
export function listPushSources(reader: Reader, listing: Listing): Promise<Listed<StoredSource>> {
  return list(reader, listing, {
    columns,
    from: sql`push_sources where org_id = ${reader.orgId} and ${found(listing, 'name_key')}`,
    sorts: { name: 'name_key', readAt: 'read_at', createdAt: 'created_at' },
    usual: 'name',
    last: 'id',
  })
}

/** One, by id or name. @throws Refusal `not_found` */
export async function findPushSource(reader: Reader, given: string): Promise<StoredSource> {
  const { rows } = await sql<StoredSource>`
    select ${columns} from push_sources
    where org_id = ${reader.orgId} and (id = ${isId(given) ? given : null}::uuid or name_key = ${nameKey(given)})`.execute(reader)
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such push source. List them to see their names.')
  return rows[0]
}

/** A source's secret, in clear; undefined: it has none. */
export async function secretOfSource(reader: Reader, keys: SecretKeys, id: PushSourceId): Promise<string | undefined> {
  const { rows } = await sql<{ secret: Buffer | null }>`
    select secret from push_sources where org_id = ${reader.orgId} and id = ${id}`.execute(reader)
  const sealed = rows[0]?.secret
  return sealed ? unseal(keys, placeOf(reader, id), sealed) : undefined
}

/**
 * Makes the source of that name be so. A secret that is left out stays, unless it would be sent somewhere else.
 * @throws Refusal `invalid_value`
 */
export async function savePushSource(
  trx: Trx,
  keys: SecretKeys,
  given: { name: string; settings: unknown; secret?: string | undefined },
): Promise<StoredSource> {
  const name = checkedName('name of the source', given.name)
  const settings = readSourceSettings(given.settings)
  if (settings.kind === 'folder')
    throw new Refusal('invalid_value', 'A folder is on your machine, not on the server: muster push plan --source FOLDER.', {
      field: 'settings',
    })
  const { rows } = await sql<{ id: PushSourceId; settings: SourceSettings; hasSecret: boolean }>`
    select id, settings, secret is not null as "hasSecret" from push_sources
    where org_id = ${trx.orgId} and name_key = ${nameKey(name)} for update`.execute(trx)
  const have = rows[0]
  if (have?.hasSecret && given.secret === undefined && placeIn(have.settings) !== placeIn(settings))
    throw new Refusal('invalid_value', 'A secret belongs to the place that it was given for. Give that of the new one, too.')
  const id = have?.id ?? newId<PushSourceId>()
  const secret = given.secret === undefined ? null : seal(keys, placeOf(trx, id), given.secret)
  await sql`
    insert into push_sources (org_id, id, name, name_key, settings, secret)
    values (${trx.orgId}, ${id}, ${name}, ${nameKey(name)}, ${JSON.stringify(settings)}, ${secret})
    on conflict (org_id, id) do update
      set name = excluded.name, settings = excluded.settings, secret = coalesce(excluded.secret, push_sources.secret)`.execute(
    trx,
  )
  await appendLog(trx, { action: 'push.saved', subject: id, facts: { what: 'source', name, after: { kind: settings.kind } } })
  return findPushSource(trx, id)
}

/** Removes a source that no target has. @throws Refusal `not_found`, `push_in_use` */
export async function removePushSource(trx: Trx, given: string): Promise<void> {
  const { id, name } = await findPushSource(trx, given)
  const { rows } = await sql<{ name: string }>`
    select name from push_targets where org_id = ${trx.orgId} and source_id = ${id} limit 1`.execute(trx)
  if (rows[0]) throw new Refusal('push_in_use', `The target ${rows[0].name} has this source. Remove that first.`)
  await sql`delete from push_sources where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
  await appendLog(trx, { action: 'push.removed', subject: id, facts: { what: 'source', name } })
}

/** Notes how a source was read: its counts, if it is to be used, or why it is not. */
export async function noteSourceRead(
  trx: Trx,
  id: PushSourceId,
  read: { counts: StoredSource['counts']; error: string | null },
): Promise<void> {
  const { counts, error } = read
  await sql`
    update push_sources set read_at = now(), error = ${error},
      people_count = coalesce(${counts?.people ?? null}, people_count), group_count = coalesce(${counts?.groups ?? null}, group_count),
      membership_count = coalesce(${counts?.memberships ?? null}, membership_count)
    where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
}

/** Seals the secrets of sources anew that are under an older key. @returns how many */
export async function resealPushSources(trx: Trx, keys: SecretKeys): Promise<number> {
  const { rows } = await sql<{ id: PushSourceId; secret: Buffer }>`
    select id, secret from push_sources where org_id = ${trx.orgId} and secret is not null for update`.execute(trx)
  const { ids, secrets } = sealedAnew(keys, { orgId: trx.orgId, table: 'push_sources' }, rows)
  await sql`
    update push_sources set secret = anew.secret from unnest(${ids}::uuid[], ${secrets}::bytea[]) as anew (id, secret)
    where org_id = ${trx.orgId} and push_sources.id = anew.id`.execute(trx)
  return ids.length
}

const placeIn = (settings: SourceSettings): string => ('url' in settings ? `${settings.kind} ${settings.url}` : settings.kind)
const placeOf = ({ orgId }: Reader, row: PushSourceId) => ({ orgId, table: 'push_sources', row })
