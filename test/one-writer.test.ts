import { expect, test } from 'vitest'
import { sourceFiles, withoutComments } from './support/source-files.ts'

/** Tables that two files write, and why. Memberships, groups' counts and their log entries are written by a function of the database. */
const shared: Record<string, string[]> = {}

test('each table is written by one file', () => {
  const files = sourceFiles()
  const several = Object.entries(writersOf(files)).filter(
    ([table, writers]) => writers.join() !== shared[table]?.join() && writers.length > 1,
  )
  expect(Object.fromEntries(several)).toEqual({})
})

test('a second writer is found, whether it builds its statement or writes it out', () => {
  const files = new Map([
    ['database/tables.ts', sourceFiles().get('database/tables.ts') ?? ''],
    ['sync/a.ts', "trx.insertInto('grants').values({})"],
    ['sync/b.ts', 'sql`with gone as (delete from grants where true returning 1) select 1`'],
    ['sync/c.ts', 'sql`insert into runs select 1`'],
    ['sync/d.ts', "// update runs\nconst text = 'select … for update of runs'"],
  ])
  expect(writersOf(files)).toEqual({ grants: ['sync/a.ts', 'sync/b.ts'], runs: ['sync/c.ts'] })
})

const writes =
  /(?:\b(?:insertInto|updateTable|deleteFrom|mergeInto)\(\s*['"]|\b(?:insert\s+into|update(?:\s+only)?|delete\s+from|merge\s+into|truncate(?:\s+table)?)\s+)(\w+)/gi

function writersOf(files: Map<string, string>): Record<string, string[]> {
  const tables = tablesIn(files.get('database/tables.ts') ?? '')
  const writers: Record<string, string[]> = {}
  for (const [path, text] of files) {
    if (path.startsWith('database/migrations/')) continue
    const written = new Set(
      [...withoutComments(text).matchAll(writes)].map(([, table = '']) => table).filter((table) => tables.has(table)),
    )
    for (const table of written) writers[table] = [...(writers[table] ?? []), path]
  }
  return writers
}

function tablesIn(text: string): Set<string> {
  const body = text.match(/export interface Tables \{([\s\S]*?)\n\}/)?.[1] ?? ''
  const tables = new Set([...body.matchAll(/^\s*(\w+):/gm)].map(([, table = '']) => table))
  expect(tables.size).toBeGreaterThan(10)
  return tables
}
