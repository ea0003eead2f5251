import fc from 'fast-check'
import { expect, test } from 'vitest'
import { couldBe, hashOf, hintOf, newSecret } from '../../src/organization/token-format.ts'

test('a token is its kind, 32 random bytes and a checksum, in characters that a URL and a header can carry', () => {
  expect(newSecret('scim')).toMatch(/^muster_scim_[\w-]{49}$/)
  expect(newSecret('api')).toMatch(/^muster_api_[\w-]{49}$/)
  expect(newSecret('api')).not.toBe(newSecret('api'))
})

test('a token is of its own kind only', () => {
  expect([couldBe('scim', newSecret('scim')), couldBe('api', newSecret('api'))]).toEqual([true, true])
  expect([couldBe('api', newSecret('scim')), couldBe('scim', newSecret('api'))]).toEqual([false, false])
})

test('one mistyped character is told by the checksum', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...'abcXYZ019_-'), (at, character) => {
      const secret = newSecret('scim')
      const place = at % secret.length
      const mistyped = secret.slice(0, place) + character + secret.slice(place + 1)
      expect(couldBe('scim', mistyped)).toBe(mistyped === secret)
    }),
  )
})

test('a token of an operator’s own has any shape of 16 characters or more, and is an API token', () => {
  expect(couldBe('api', 'a'.repeat(16))).toBe(true)
  expect(couldBe('api', 'a'.repeat(15))).toBe(false)
  expect(couldBe('scim', 'a'.repeat(32))).toBe(false)
})

test('what is kept of a token is its SHA-256 and its last four characters', () => {
  const secret = newSecret('api')
  expect(hashOf(secret)).toHaveLength(32)
  expect(hintOf(secret)).toBe(secret.slice(-4))
})
