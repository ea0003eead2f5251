import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nameKey } from '../../src/organization/name-key.ts'
import { whyNotName } from '../../src/organization/name-rules.ts'

test.each([
  ['Straße', 'STRASSE'],
  ['engineering ', 'Engineering'],
  ['ﬁnance', 'Finance'],
  ['Ⅷ', 'viii'],
  ['two  words', ' Two\u00a0Words'],
  ['Å', 'A\u030a'],
  ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
])('%s and %s are one name', (a, b) => {
  expect(nameKey(a)).toBe(nameKey(b))
})

test.each([
  ['sig-docs', 'sig docs'],
  ['resume', 'résumé'],
  ['a', 'а'],
])('%s and %s are two names', (a, b) => {
  expect(nameKey(a)).not.toBe(nameKey(b))
})

test('the key of a key is the key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => nameKey(nameKey(name)) === nameKey(name)),
    { numRuns: 2_000 },
  )
})

test('the case in which a name is written does not matter', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => nameKey(name.toUpperCase()) === nameKey(name)),
    { numRuns: 1_000 },
  )
})

test.each([
  ['empty', ' \u3000 ', /is empty/],
  ['too long', 'x'.repeat(256), /longer than 255/],
  ['too long once compared', 'ß'.repeat(200), /longer than 255/],
  ['a control character', 'a\u0007b', /U\+0007/],
  ['U+0000', 'a\0b', /U\+0000/],
  ['a bidi override', 'a\u202eb', /U\+202E/],
  ['a zero-width space', 'a\u200bb', /U\+200B/],
  ['half a character', 'a\ud800', /lone surrogate/],
])('a name that is refused: %s', (_, name, why) => {
  expect(whyNotName(name)).toMatch(why)
})

test('a name of 255 characters, whatever they are, is a name', () => {
  expect(whyNotName('😀'.repeat(255))).toBeUndefined()
})
