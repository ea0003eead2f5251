import { newSecretKey, readSecretKeys } from '../../src/database/secrets.ts'
import { addProvider, changeProvider, clientSecretOf, resealProviders } from '../../src/organization/sign-in-providers.ts'
import { expect, test } from '../support/world.ts'

const given = { name: 'Okta', issuer: 'https://acme.okta.com', clientId: 'muster', clientSecret: 'a secret' }

test('rule 27: secrets are sealed anew under the new key, after which the old one can go', async ({ inOrg }) => {
  const [old, fresh] = [newSecretKey(), newSecretKey()]
  const [before, both, after] = [old, `${fresh} ${old}`, fresh].map(readSecretKeys) as [never, never, never]
  await inOrg(async (trx) => {
    const { id } = await addProvider(trx, before, given)
    await addProvider(trx, before, { ...given, name: 'Public', clientSecret: null })
    await expect(clientSecretOf(trx, after, id)).rejects.toThrow(/add the old key/)
    expect(await resealProviders(trx, both)).toBe(1)
    expect(await resealProviders(trx, both)).toBe(0)
    expect(await clientSecretOf(trx, after, id)).toBe('a secret')
    const rows = await trx.selectFrom('sign_in_providers').selectAll().where('org_id', '=', trx.orgId).execute()
    expect(JSON.stringify(rows)).not.toContain('a secret')
  })
})

test('a secret is not sent to another issuer than it was given for; what changes nothing is not in the log', async ({
  inOrg,
}) => {
  const keys = readSecretKeys(newSecretKey())
  await inOrg(async (trx) => {
    const { id } = await addProvider(trx, keys, given)
    await expect(changeProvider(trx, keys, id, { issuer: 'https://evil.example' })).rejects.toThrow(/belongs to its issuer/)
    await expect(changeProvider(trx, keys, id, { issuer: 'javascript:alert(1)' })).rejects.toThrow(/https address/)
    await changeProvider(trx, keys, id, { name: 'Okta', enabled: true })
    const { enabled } = await changeProvider(trx, keys, id, { enabled: false })
    expect(enabled).toBe(false)
    const entries = await trx
      .selectFrom('log_entries')
      .select(['action', 'facts'])
      .where('org_id', '=', trx.orgId)
      .where('action', 'like', 'provider.%')
      .execute()
    expect(entries.map(({ action }) => action)).toEqual(['provider.added', 'provider.changed'])
    expect(entries[1]?.facts).toMatchObject({ before: { enabled: true }, after: { enabled: false } })
  })
})
