import { expect, test } from 'vitest'
import { type Attribute, binary, count, flag, reference, text, time } from '../../src/scim/attributes.ts'
import { rfcs } from '../../src/scim/quirks.ts'
import { readValue } from '../../src/scim/values.ts'

const read = (attribute: Attribute, given: unknown) => readValue(attribute, given, rfcs)
const invalidValue = expect.objectContaining({ name: 'ScimError', status: 400, scimType: 'invalidValue' })

const types: [string, Attribute, good: unknown[], wrong: unknown[]][] = [
  ['§2.3.1 a string', text('x', ''), ['a', '\u{1f642}', '1'], [1, true, ['a', 'b'], { value: 'a' }]],
  ['§2.3.2 a boolean', flag('x', ''), [true, false], ['true', 'yes', 1, 0, {}]],
  ['§2.3.4 an integer', count('x', ''), [0, -1, 2 ** 31], [1.5, '1', true]],
  [
    '§2.3.5 a time',
    time('x', ''),
    ['2008-01-23T04:56:22Z', '2008-01-23T04:56:22.123+02:00'],
    ['yesterday', '2008-13-01T00:00:00Z', '23.01.2008', 1201064182, '2008-01-23T25:00:00Z'],
  ],
  [
    '§2.3.6 binary data',
    binary('x', ''),
    ['MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAw', 'YQ==', 'YQ', 'YWI=', 'YWI'],
    ['YQ=', 'Y', 'YWJj=', '-----BEGIN CERTIFICATE-----', 'YW Jj', 'YWJj\n', 'a_b-', 5],
  ],
  [
    '§2.3.7 a reference',
    reference('x', '', ['external']),
    [
      'https://login.example.com/bjensen',
      '../Users/26118915',
      'urn:x:y',
      'mailto:a@b.c',
      'https://b\u00fccher.example/%C3%BC?q=1#f',
    ],
    ['https://a b', 'java\nscript:x', '<script>', 'a"b', '%zz', 'a\\b', 5, {}],
  ],
]

test.each(types)('%s', (_section, attribute, good, wrong) => {
  for (const value of good) expect(read(attribute, value)).toBe(value)
  for (const value of wrong) expect(() => read(attribute, value), JSON.stringify(value)).toThrow(invalidValue)
})
