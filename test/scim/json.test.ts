import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonError, readJson } from '../../src/scim/json.ts'

const read = (text: string) => readJson(Buffer.from(text))

test('what JSON.stringify writes is read as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: 'grapheme' }), (value) => {
      const text = JSON.stringify(value)
      const isRefused = /"(__proto__|constructor)":|\\u0000/.test(text)
      if (isRefused) expect(() => read(text)).toThrow(JsonError)
      else expect(read(text)).toEqual(JSON.parse(text))
    }),
  )
})

test('an empty body says nothing', () => {
  expect(read('')).toBeUndefined()
})

test.each([
  ['a key given twice', '{"a":1,"b":2,"a":3}', /"a" is given twice/],
  ['a key given twice, once escaped', '{"a":1,"\\u0061":3}', /"a" is given twice/],
  ['a key given twice among many', `{${Array.from({ length: 40 }, (_, at) => `"k${at % 39}":1`).join()}}`, /"k0" is given twice/],
  ['a key given twice deep inside', '[{"x":[{"a":1,"a":2}]}]', /twice/],
  ['an object of 1,001 keys', `{${Array.from({ length: 1_001 }, (_, at) => `"k${at}":1`).join()}}`, /more than 1000 keys/],
  ['a prototype', '{"__proto__":{}}', /__proto__/],
  ['a prototype, escaped', '{"\\u005f_proto__":{}}', /__proto__/],
  ['a constructor', '{"a":{"constructor":1}}', /constructor/],
  ['half a surrogate pair', '"\\ud83d"', /surrogate/],
  ['half a surrogate pair in a key', '{"\\udc00":1}', /surrogate/],
  ['U+0000', '"a\\u0000"', /U\+0000/],
  ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}`, /32 levels/],
  ['a million levels', '['.repeat(1_000_000), /32 levels/],
  ['a string without end', '"abc', /does not end/],
  ['a wrong escape', '"\\x"', /escape/],
  ['a comma too many', '[1,]', /not valid JSON/],
  ['two values', '{} {}', /not valid JSON/],
  ['a bare word', 'members', /not valid JSON/],
])('%s is refused', (_name, text, sentence) => {
  expect(() => read(text)).toThrow(JsonError)
  expect(() => read(text)).toThrow(sentence)
})

test.each([
  ['32 levels', `${'['.repeat(32)}${']'.repeat(32)}`],
  ['the same key in two objects', '[{"a":1},{"a":2}]'],
  ['a key that is a value elsewhere', '{"a":"b","b":"a"}'],
  ['brackets and quotes inside strings', '{"a]}":"{[\\"","b":"\\\\"}'],
  ['a surrogate pair, escaped', '"\\ud83d\\ude00"'],
  ['a byte order mark', '\ufeff{"a":1}'],
  ['__proto__ as a value', '{"a":"__proto__"}'],
])('%s is read', (_name, text) => {
  expect(read(text)).toEqual(JSON.parse(text.replace('\ufeff', '')))
})

test('bytes that are no UTF-8 are refused', () => {
  expect(() => readJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/UTF-8/)
})

test('150,000 members are read in a fraction of a second', () => {
  const members = Array.from({ length: 150_000 }, (_, at) => ({
    value: `0193${String(at).padStart(28, '0')}`,
    display: `person${at}@example.org`,
  }))
  const body = Buffer.from(JSON.stringify({ displayName: 'all', members }))
  const began = performance.now()
  expect((readJson(body) as { members: unknown[] }).members).toHaveLength(150_000)
  expect(performance.now() - began).toBeLessThan(1_000)
})
