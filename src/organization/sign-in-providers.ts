import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { isId, newId, type SignInProviderId } from '../database/ids.ts'
import { type SecretKeys, seal, sealedAnew, unseal } from '../database/secrets.ts'
import { found, type Listed, type Listing, list } from './listing.ts'
import { appendLog, changeOf } from './log.ts'
import { nameKey } from './name-key.ts'
import { checkedName, checkedText, whyNotLine } from './name-rules.ts'
import { Refusal } from './refusal.ts'

/** An OpenID provider that people sign in by. Its client secret is shown to nobody. */
export interface SignInProvider {
  id: SignInProviderId
  name: string
  issuer: string
  clientId: string
  hasClientSecret: boolean
  enabled: boolean
  createdAt: Date
  updatedAt: Date
}

export interface ProviderSettings {
  name: string
  issuer: string
  clientId: string
  /** Null: a public client has none. */
  clientSecret: string | null
  enabled: boolean
}

const columns = sql`id, name, issuer, client_id as "clientId", client_secret is not null as "hasClientSecret", enabled,
  created_at as "createdAt", updated_at as "updatedAt"`

/** The providers, sorted by name or createdAt. @throws Refusal `invalid_value` */
export function listProviders(reader: Reader, listing: Listing): Promise<Listed<SignInProvider>> {
  return list(reader, listing, {
    columns,
    from: sql`sign_in_providers where org_id = ${reader.orgId} and ${found(listing, 'name_key')}`,
    sorts: { name: 'name_key', createdAt: 'created_at' },
    usual: 'name',
    last: 'id',
  })
}

/** The providers that can be used now, by name. */
export async function enabledProviders(reader: Reader): Promise<{ id: SignInProviderId; name: string }[]> {
  return (await listProviders(reader, {})).items.filter((one) => one.enabled).map(({ id, name }) => ({ id, name }))
}

/** One of them, by id. @throws Refusal `not_found` */
export async function findProvider(reader: Reader, id: string): Promise<SignInProvider> {
  const { rows } = await sql<SignInProvider>`
    select ${columns} from sign_in_providers where org_id = ${reader.orgId} and id = ${isId(id) ? id : null}::uuid`.execute(
    reader,
  )
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such sign-in provider. List them to see their ids.')
  return rows[0]
}

/** A provider's client secret, in clear; null: it is a public client. */
export async function clientSecretOf(reader: Reader, keys: SecretKeys, id: SignInProviderId): Promise<string | null> {
  const { rows } = await sql<{ sealed: Buffer | null }>`
    select client_secret as sealed from sign_in_providers where org_id = ${reader.orgId} and id = ${id}`.execute(reader)
  const sealed = rows[0]?.sealed ?? null
  return sealed && unseal(keys, placeOf(reader, id), sealed)
}

/** Adds a provider. Nobody can sign in by it who is not invited. @throws Refusal `invalid_value`, `name_taken` */
export async function addProvider(trx: Trx, keys: SecretKeys, given: Omit<ProviderSettings, 'enabled'>): Promise<SignInProvider> {
  const { name, issuer, clientId } = checked(given)
  const id = newId<SignInProviderId>()
  await refuseTakenName(trx, name, null)
  await sql`
    insert into sign_in_providers (org_id, id, name, name_key, issuer, client_id, client_secret)
    values (${trx.orgId}, ${id}, ${name}, ${nameKey(name)}, ${issuer}, ${clientId}, ${sealed(trx, keys, id, given.clientSecret)})`.execute(
    trx,
  )
  await appendLog(trx, {
    action: 'provider.added',
    subject: id,
    facts: { name, after: { name, issuer, clientId, enabled: true } },
  })
  return findProvider(trx, id)
}

/** Changes a provider; what is left out stays. @throws Refusal `not_found`, `invalid_value`, `name_taken` */
export async function changeProvider(
  trx: Trx,
  keys: SecretKeys,
  id: string,
  given: { [Field in keyof ProviderSettings]?: ProviderSettings[Field] | undefined },
): Promise<SignInProvider> {
  await sql`select from sign_in_providers where org_id = ${trx.orgId} and id = ${isId(id) ? id : null}::uuid for update`.execute(
    trx,
  )
  const have = await findProvider(trx, id)
  const want = {
    ...checked({ name: given.name ?? have.name, issuer: given.issuer ?? have.issuer, clientId: given.clientId ?? have.clientId }),
    enabled: given.enabled ?? have.enabled,
  }
  // Who a subject is was said by the other issuer: a secret given to it is not sent to the new one.
  if (want.issuer !== have.issuer && given.clientSecret === undefined && have.hasClientSecret)
    throw new Refusal('invalid_value', 'A client secret belongs to its issuer. Give the secret that the new issuer knows, too.')
  await refuseTakenName(trx, want.name, have.id)
  const { before, after } = changeOf<typeof want>(have, want)
  const isSecretNew = given.clientSecret !== undefined
  if (Object.keys(after).length === 0 && !isSecretNew) return have
  await sql`
    update sign_in_providers set name = ${want.name}, name_key = ${nameKey(want.name)}, issuer = ${want.issuer}, client_id = ${want.clientId},
      enabled = ${want.enabled}, updated_at = clock_timestamp(),
      client_secret = case when ${isSecretNew} then ${sealed(trx, keys, have.id, given.clientSecret ?? null)}::bytea else client_secret end
    where org_id = ${trx.orgId} and id = ${have.id}`.execute(trx)
  await appendLog(trx, {
    action: 'provider.changed',
    subject: have.id,
    facts: { name: want.name, before, after, ...(isSecretNew ? { isSecretNew } : {}) },
  })
  return findProvider(trx, id)
}

/** Removes a provider. Those who signed in by it sign in by a link, or another. @throws Refusal `not_found` */
export async function removeProvider(trx: Trx, id: string): Promise<void> {
  const { name, issuer, clientId, enabled } = await findProvider(trx, id)
  await sql`delete from sign_in_providers where org_id = ${trx.orgId} and id = ${id}::uuid`.execute(trx)
  await appendLog(trx, { action: 'provider.removed', subject: id, facts: { name, before: { name, issuer, clientId, enabled } } })
}

/** Seals anew what is under an older key. @returns how many */
export async function resealProviders(trx: Trx, keys: SecretKeys): Promise<number> {
  const { rows } = await sql<{ id: SignInProviderId; secret: Buffer }>`
    select id, client_secret as secret from sign_in_providers where org_id = ${trx.orgId} and client_secret is not null for update`.execute(
    trx,
  )
  const { ids, secrets } = sealedAnew(keys, { orgId: trx.orgId, table: 'sign_in_providers' }, rows)
  await sql`
    update sign_in_providers p set client_secret = given.sealed from unnest(${ids}::uuid[], ${secrets}::bytea[]) as given(id, sealed)
    where p.org_id = ${trx.orgId} and p.id = given.id`.execute(trx)
  return ids.length
}

const placeOf = ({ orgId }: Reader, id: SignInProviderId) => ({ orgId, table: 'sign_in_providers', row: id })

const sealed = (trx: Trx, keys: SecretKeys, id: SignInProviderId, secret: string | null): Buffer | null =>
  secret === null ? null : seal(keys, placeOf(trx, id), secret)

function checked({ name, issuer, clientId }: Pick<ProviderSettings, 'name' | 'issuer' | 'clientId'>) {
  const url = URL.parse(issuer)
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '')
    throw new Refusal('invalid_value', 'The issuer is an https address, as the provider names itself: https://login.example.org')
  const client = checkedText('client id', clientId, 255, whyNotLine)
  if (client === null) throw new Refusal('invalid_value', 'The client id is empty.')
  // Compared byte for byte with what the provider calls itself: a slash at its end stays, or stays away.
  return { name: checkedName('name of the provider', name), issuer: issuer.trim(), clientId: client }
}

async function refuseTakenName(trx: Trx, name: string, except: SignInProviderId | null): Promise<void> {
  const { rows } = await sql`
    select from sign_in_providers where org_id = ${trx.orgId} and name_key = ${nameKey(name)} and id is distinct from ${except}::uuid`.execute(
    trx,
  )
  if (rows.length > 0)
    throw new Refusal('name_taken', `A sign-in provider "${name}" already exists. Choose another name.`, { name })
}
