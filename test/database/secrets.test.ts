import { expect, test } from 'vitest'
import { newId, type OrgId } from '../../src/database/ids.ts'
import { isUnderOlderKey, newSecretKey, readSecretKeys, seal, unseal } from '../../src/database/secrets.ts'

const place = { orgId: newId<OrgId>(), table: 'sign_in_providers', row: 'a' }
const [old, fresh] = [newSecretKey(), newSecretKey()]

test('what is sealed opens in its place alone, and only as it was sealed', () => {
  const keys = readSecretKeys(old)
  const sealed = seal(keys, place, 'a client secret, ä')
  expect(unseal(keys, place, sealed)).toBe('a client secret, ä')
  expect(seal(keys, place, 'a client secret, ä').equals(sealed)).toBe(false)
  for (const other of [
    { ...place, row: 'b' },
    { ...place, table: 'push_targets' },
    { ...place, orgId: newId<OrgId>() },
  ])
    expect(() => unseal(keys, other, sealed)).toThrow()
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => unseal(keys, place, changed)).toThrow()
  }
})

test('a new key seals from then on, and the old one goes on opening until all is sealed anew', () => {
  const before = seal(readSecretKeys(old), place, 'secret')
  const both = readSecretKeys(`${fresh} ${old}\n`)
  expect([unseal(both, place, before), isUnderOlderKey(both, before)]).toEqual(['secret', true])
  const after = seal(both, place, 'secret')
  expect([unseal(readSecretKeys(fresh), place, after), isUnderOlderKey(both, after)]).toEqual(['secret', false])
  expect(() => unseal(readSecretKeys(fresh), place, before)).toThrow(/add the old key behind the new one/)
})

test('what is no key is said', () => {
  expect(readSecretKeys('ab'.repeat(32)).byId.size).toBe(1)
  expect(() => readSecretKeys(`${fresh},short`)).toThrow('key 2 is not 32 bytes')
  expect(() => readSecretKeys(' \n')).toThrow('there is no key in it')
})
