import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeFormula, readCsv, unescapeFormula, writeCsv } from '../../src/organization/csv.ts'

async function read(source: string | Uint8Array, columns = ['a', 'b']) {
  const rows: { line: number; fields: string[] }[] = []
  const problems = await readCsv(source, columns, (line, fields) => rows.push({ line, fields }))
  return { rows, problems }
}

describe('reading', () => {
  test('columns come in any order and others are passed over', async () => {
    const { rows, problems } = await read('c,B,a\n1,2,3\n')
    expect(problems).toEqual([])
    expect(rows).toEqual([{ line: 2, fields: ['3', '2'] }])
  })

  test('a byte order mark, Windows line ends, empty lines, quotes and line breaks in a field are no matter', async () => {
    const { rows, problems } = await read('\ufeffa,b\r\n\r\n"x ""y"", z",1\r\n"two\r\nlines",2\r\nlast,3')
    expect(problems).toEqual([])
    expect(rows).toEqual([
      { line: 3, fields: ['x "y", z', '1'] },
      { line: 4, fields: ['two\r\nlines', '2'] },
      { line: 6, fields: ['last', '3'] },
    ])
  })

  test('characters that straddle the pieces a file is read in stay whole', async () => {
    const long = '😀é'.repeat(60_000)
    for (const lead of ['', 'x', 'xx', 'xxx']) {
      const { rows } = await read(`a,b\n${lead}${long},1\n`)
      expect(rows[0]?.fields[0] === lead + long).toBe(true)
    }
  })

  test.each([
    ['an empty file', '', 1, /is empty/],
    ['a missing column', 'a,c\n1,2\n', 1, /no column "b"/],
    ['a column twice', 'a,b,a\n1,2,3\n', 1, /column "a" twice/],
    ['a cut line', 'a,b\n1,2\n3\n4,5\n', 3, /has 1 field, .* 2 columns/],
    ['a line with too much', 'a,b\n1,2,3\n', 2, /has 3 fields/],
    ['a quote that does not end', 'a,b\n1,2\n"3,4\n5,6\n7,8\n', 3, /does not end/],
    ['a quote inside', 'a,b\n1,2\n3,x"y"\n', 3, /quote where none may be/],
    ['text after a quote', 'a,b\n"1"x,2\n', 2, /quote where none may be/],
  ])('%s is named with its line', async (_, source, line, message) => {
    const { problems } = await read(source)
    expect(problems).toEqual([{ line, message: expect.stringMatching(message) }])
  })

  test('bytes that are no UTF-8 are named with their line', async () => {
    const { rows, problems } = await read(Buffer.concat([Buffer.from('a,b\n1,2\n'), Buffer.from([0xe9]), Buffer.from(',3\n')]))
    expect(problems).toEqual([{ line: 3, message: expect.stringMatching(/not UTF-8/) }])
    expect(rows).toEqual([])
  })

  test('after a bad line the good ones are still read, so that all errors are named together', async () => {
    const { rows, problems } = await read('a,b\n1\n2,3\n4\n')
    expect(problems.map((problem) => problem.line)).toEqual([2, 4])
    expect(rows).toEqual([{ line: 3, fields: ['2', '3'] }])
  })
})

describe('writing', () => {
  test.each(['=1+1', '+49', '-2', '@sum', '\tx', '\rx', '\0x'])(
    'a field that a spreadsheet takes for a formula is quoted: %j',
    (field) => {
      expect(escapeFormula(field)).toBe(`'${field}`)
    },
  )

  test('nothing else is touched', () => {
    for (const field of ['', 'plain', "'quoted'", 'a=b', "o'neil", '1-2']) {
      expect(escapeFormula(field)).toBe(field)
      expect(unescapeFormula(field)).toBe(field)
    }
  })

  test('lines end as RFC 4180 says, and quotes are doubled', () => {
    const row = { name: 'a "b", c', n: 3, at: new Date(0), none: null }
    const csv = writeCsv<typeof row>({ name: (r) => r.name, n: (r) => r.n, at: (r) => r.at, none: (r) => r.none }, [row])
    expect(csv).toBe('name,n,at,none\r\n"a ""b"", c",3,1970-01-01T00:00:00.000Z,\r\n')
  })

  test('what is written is read again as it was, whatever it is', async () => {
    const field = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('=x', "'=x", "''@", '\tx', '\r\n', '"', ',', '\ufeff', '-1'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field), { minLength: 1 }), async (rows) => {
        const csv = writeCsv<[string, string]>({ a: (row) => row[0], b: (row) => row[1] }, rows)
        expect((await read(csv)).rows.map((row) => row.fields)).toEqual(rows)
      }),
    )
  })
})
