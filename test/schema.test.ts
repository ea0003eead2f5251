import type { Db } from '../src/database/connection.ts'
import * as tables from '../src/database/tables.ts'
import { syncGroup } from '../src/scim/group-schema.ts'
import { sourceFiles } from './support/source-files.ts'
import { expect, test } from './support/world.ts'

interface Column {
  table: string
  column: string
  isNullable: boolean
  isOptional: boolean
}

test('tables.ts has the columns of the database, and says which may be null and which may be left out', async ({ db }) => {
  expect(columnsIn(sourceFiles().get('database/tables.ts') ?? '')).toEqual(await columnsOf(db))
})

test('a table with org_id leads with it everywhere and lies under forced row-level security', async ({ db }) => {
  expect(await faultsOf(db)).toEqual([])
})

test('a table that forgets the organization is found', async ({ db }) => {
  await db.pool.query(`create table planted (id uuid primary key, org_id uuid not null references organizations, account_id uuid);
    create index planted_by_account on planted (account_id); create table loose (id uuid primary key)`)
  const faults = await faultsOf(db)
  await db.pool.query('drop table planted, loose')
  expect(faults).toEqual([
    'loose has no org_id',
    'planted is not under forced row-level security',
    'planted keeps statistics of org_id (migration 0018)',
    'the index planted_by_account does not lead with org_id',
    'the index planted_pkey does not lead with org_id',
  ])
})

test('the words of tables.ts are those that the database takes, and that SCIM shows', async ({ db }) => {
  const { rows } = await db.pool.query<{ column: string; words: string }>(`
    select rel.relname || '.' || a.attname as "column", pg_get_constraintdef(c.oid) as words
    from pg_constraint c join pg_class rel on rel.oid = c.conrelid join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    where c.contype = 'c' and rel.relnamespace = 'public'::regnamespace and cardinality(c.conkey) = 1`)
  const taken = rows.map(({ column, words }) => [column, [...words.matchAll(/'(\w+)'::text/g)].map(([, word]) => word).sort()])
  const said: Record<string, readonly string[]> = {
    'admins.role': tables.apiRoles,
    'api_tokens.role': tables.apiRoles,
    'sessions.signed_in_by': tables.waysToSignIn,
    'directories.conflict_policy': tables.conflictPolicies,
    'directories.offer_existing_groups': tables.offerSettings,
    'directories.unknown_members': tables.unknownMembersSettings,
    'provisioned_groups.state': tables.groupStates,
    'provisioned_users.matched_by': tables.matches,
    'provisioned_users.state': tables.userStates,
    'run_groups.choice': tables.syncChoices,
    'runs.choice': tables.syncChoices,
    'runs.kind': tables.runKinds,
    'run_groups.result': tables.runResults,
    'runs.state': tables.runStates,
  }
  expect(Object.fromEntries(taken)).toMatchObject(
    Object.fromEntries(Object.entries(said).map(([column, words]) => [column, words.toSorted()])),
  )
  const shown = (name: string) => syncGroup.subAttributes?.find((attribute) => attribute.name === name)?.canonicalValues
  expect(shown('state')).toEqual([...tables.groupStates, 'offered'])
  expect(shown('reasons')).toEqual(tables.groupReasons)
})

async function columnsOf(db: Db): Promise<Column[]> {
  const { rows } = await db.pool.query<Column>(`
    select table_name as "table", column_name as "column", is_nullable = 'YES' as "isNullable",
      column_default is not null or 'YES' in (is_identity, is_nullable) or is_generated = 'ALWAYS' as "isOptional"
    from information_schema.columns where table_schema = 'public' order by table_name collate "C", column_name collate "C"`)
  return rows
}

// A token is found by its hash before its organization is known.
const foundAcross = ['api_tokens', 'directory_tokens', 'links', 'sessions', 'sign_in_attempts'].map(
  (table) => `${table}_token_hash_key`,
)

async function faultsOf(db: Db): Promise<string[]> {
  const { rows } = await db.pool.query<{ fault: string }>(
    `
    with tables as (
      select c.oid, c.relname as name, c.relrowsecurity and c.relforcerowsecurity as is_forced,
        (select attnum from pg_attribute where attrelid = c.oid and attname = 'org_id' and not attisdropped) as org,
        exists (select from pg_attribute where attrelid = c.oid and attname = 'org_id' and attstattarget is distinct from 0) as is_estimated
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'organizations')
    select name || ' has no org_id' as fault from tables where org is null
    union all select name || ' is not under forced row-level security' from tables where org is not null and not is_forced
    union all select name || ' keeps statistics of org_id (migration 0018)' from tables where org is not null and is_estimated
    union all select 'the index ' || i.indexrelid::regclass || ' does not lead with org_id'
      from pg_index i join tables on tables.oid = i.indrelid
      where org is not null and i.indkey[0] <> org and i.indexrelid::regclass::text <> all($1::text[])
    union all select 'the foreign key ' || conname || ' does not lead with org_id'
      from pg_constraint join tables on tables.oid = conrelid where contype = 'f' and org is not null and conkey[1] <> org
    order by fault`,
    [foundAcross],
  )
  return rows.map(({ fault }) => fault)
}

// The rows' interfaces as text: a type leaves no trace where a test could look at it.
function columnsIn(text: string): Column[] {
  const rowOf = new Map([...text.matchAll(/^ {2}(\w+): (\w+Row)$/gm)].map(([, table = '', row = '']) => [row, table]))
  const interfaces = [...text.matchAll(/export interface (\w+Row) \{([\s\S]*?)\}\n/g)]
  expect(interfaces.map(([, row = '']) => row).sort()).toEqual([...rowOf.keys()].sort())
  return interfaces
    .flatMap(([, row = '', body = '']) =>
      body
        .split(/[;\n]/)
        .filter((line) => line.includes(':'))
        .map((line) => columnIn(rowOf.get(row) ?? row, line)),
    )
    .sort((a, b) => (`${a.table} ${a.column}` < `${b.table} ${b.column}` ? -1 : 1))
}

function columnIn(table: string, line: string): Column {
  const [, column = '', type = ''] = line.trim().match(/^(\w+): (.*)$/) ?? []
  const [, read = type, written = type] = type.match(/^ColumnType<([^,]*), ([^,]*)/) ?? []
  const isNullable = /\bnull\b|^unknown$/.test(read)
  return {
    table,
    column,
    isNullable,
    isOptional:
      isNullable || /^(Generated|GeneratedAlways)<|^Timestamp$|^JsonWithDefault</.test(type) || written.includes('undefined'),
  }
}
