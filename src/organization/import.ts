import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId, GroupId, RoleId } from '../database/ids.ts'
import { planForSets } from '../database/transaction.ts'
import { addGrants, ensureRoles, type Grant, roleIdsByKey, roleKey } from './access.ts'
import { accountIdsByKey, ensureAccounts } from './accounts.ts'
import { ensureGroups, groupIdsByKey } from './groups.ts'
import { type AccessRow, type ImportError, type ImportRows, shown } from './import-files.ts'
import { appendLog } from './log.ts'
import { addMembers } from './memberships.ts'
import { type AskedOfGroup, type GroupStanding, lockGroups, whyNotChangeGroup } from './permission.ts'
import { Refusal } from './refusal.ts'

/** What an import did. What it found as the files have it is `unchanged`. */
export interface ImportReport {
  users: { created: number; updated: number; unchanged: number }
  groups: { created: number; updated: number; unchanged: number }
  members: { added: number; unchanged: number }
  access: { added: number; madeDefault: number; unchanged: number }
}

/** How many errors are named; the others are counted. */
const namedErrors = 20

// Statements of 10,000 rows: far below the statement limit of 30 s on a slow disk, and few round trips.
const chunkRows = 10_000

/** Waits until no other import of the organization is under way, and holds off the next: what is checked is what is written. */
export async function beginImport(trx: Trx): Promise<void> {
  await trx.selectFrom('organizations').select('id').where('id', '=', trx.orgId).forNoKeyUpdate().execute()
  await planForSets(trx)
}

/** The keys of all groups that are named, each once. */
export const groupKeysOf = (rows: ImportRows): string[] => [
  ...new Set([...rows.groups.keys(), ...rows.members.map((row) => row.groupKey), ...rows.access.map((row) => row.groupKey)]),
]

/**
 * Imports what an organization's files say, all or nothing, set-wise; `beginImport` comes before. What exists is kept, profiles and descriptions that no directory
 * manages are updated, nothing is removed; the same files again change nothing.
 * @returns what was done, and the names of groups that were made or became default access: pushed groups of these names must be judged afresh
 * @throws Refusal `invalid_import`, its facts naming up to 20 errors as {file, line, message}
 */
export async function importOrganization(
  trx: Trx,
  rows: ImportRows,
): Promise<{ report: ImportReport; concernedNameKeys: string[] }> {
  const known = await findKnown(trx, rows)
  const errors = [...rows.errors, ...unknownNames(rows, known), ...(await forbiddenChanges(trx, rows, known))]
  if (errors.length > 0) throw refusalOf(errors)
  const { report, changed, concernedNameKeys } = await write(trx, rows, known)
  if (changed) await appendLog(trx, { action: 'import.finished', facts: { ...report } })
  return { report, concernedNameKeys }
}

/** What the database has of the names in the files. */
interface Known {
  groups: Map<string, GroupId>
  accounts: Map<string, AccountId>
}

async function findKnown(trx: Trx, rows: ImportRows): Promise<Known> {
  const userKeys = new Set([...rows.users.keys(), ...rows.members.map((row) => row.userKey)])
  return { groups: await groupIdsByKey(trx, groupKeysOf(rows)), accounts: await accountIdsByKey(trx, [...userKeys]) }
}

function unknownNames(rows: ImportRows, known: Known): ImportError[] {
  // A file that could not be read whole names fewer than it means to: what it lacks is no error of another file.
  const isCut = (file: string) => rows.errors.some((error) => error.file === file)
  const [groupsAreCut, usersAreCut] = [isCut('groups.csv'), isCut('users.csv')]
  const isGroup = (key: string) => groupsAreCut || rows.groups.has(key) || known.groups.has(key)
  const isUser = (key: string) => usersAreCut || rows.users.has(key) || known.accounts.has(key)
  const noGroup = (group: string) => `there is no group ${shown(group)}, neither in groups.csv nor in the organization`
  const noUser = (user: string) => `there is no user ${shown(user)}, neither in users.csv nor in the organization`
  return [
    ...rows.members.flatMap(({ line, group, groupKey, userName, userKey }) => {
      const message = !isGroup(groupKey) ? noGroup(group) : !isUser(userKey) ? noUser(userName) : undefined
      return message === undefined ? [] : [{ file: 'members.csv', line, message }]
    }),
    ...rows.access.flatMap(({ line, group, groupKey }) =>
      isGroup(groupKey) ? [] : [{ file: 'access.csv', line, message: noGroup(group) }],
    ),
  ]
}

/** Locks the groups that are to change and finds the lines that may not: what is so already is no change. */
async function forbiddenChanges(trx: Trx, rows: ImportRows, known: Known): Promise<ImportError[]> {
  const touched = new Set([...rows.members, ...rows.access].flatMap(({ groupKey }) => known.groups.get(groupKey) ?? []))
  const standings = await lockGroups(trx, [...touched])
  const of = ({ groupKey }: { groupKey: string }) => standings.get(known.groups.get(groupKey) as GroupId)
  const members = rows.members.filter((row) => refusedBy(['change_members'], of(row)))
  const access = rows.access.filter((row) => refusedBy(changesOf(row), of(row)))
  const [isMember, grants] = await Promise.all([membersAmong(trx, members, known), grantsAmong(trx, access, known)])
  return [
    ...members
      .filter((row) => !isMember.has(`${known.groups.get(row.groupKey)} ${known.accounts.get(row.userKey)}`))
      .flatMap((row) => errorOf('members.csv', row.line, refusedBy(['change_members'], of(row)))),
    ...access.flatMap((row) => {
      const have = grants.get(`${known.groups.get(row.groupKey)} ${roleKey(row)}`)
      const asked = changesOf(row).filter((change) => (change === 'make_default' ? have !== true : have === undefined))
      return errorOf('access.csv', row.line, refusedBy(asked, of(row)))
    }),
  ]
}

const changesOf = (row: AccessRow): AskedOfGroup[] => (row.isDefault ? ['import_grant', 'make_default'] : ['import_grant'])

function refusedBy(changes: readonly AskedOfGroup[], standing: GroupStanding | undefined): Refusal | undefined {
  if (standing === undefined) return undefined
  return changes.map((change) => whyNotChangeGroup(change, standing)).find((refusal) => refusal !== undefined)
}

const errorOf = (file: string, line: number, refusal: Refusal | undefined): ImportError[] =>
  refusal === undefined ? [] : [{ file, line, message: `group ${shown(String(refusal.facts.group))}: ${refusal.message}` }]

async function membersAmong(trx: Trx, rows: { groupKey: string; userKey: string }[], known: Known): Promise<Set<string>> {
  const groupIds = [...new Set(rows.map((row) => known.groups.get(row.groupKey)))]
  const accountIds = [...new Set(rows.map((row) => known.accounts.get(row.userKey)))].filter((id) => id !== undefined)
  const found = await sql<{ pair: string }>`
    select group_id || ' ' || account_id as pair from memberships
    where org_id = ${trx.orgId} and group_id = any(${groupIds}::uuid[]) and account_id = any(${accountIds}::uuid[]) and effective`.execute(
    trx,
  )
  return new Set(found.rows.map((row) => row.pair))
}

async function grantsAmong(trx: Trx, rows: AccessRow[], known: Known): Promise<Map<string, boolean>> {
  const roles = await roleIdsByKey(trx, rows)
  const names = new Map([...roles].map(([key, id]) => [id, key]))
  const found = await sql<{ groupId: GroupId; roleId: RoleId; isDefault: boolean }>`
    select group_id as "groupId", role_id as "roleId", is_default as "isDefault" from grants
    where org_id = ${trx.orgId} and group_id = any(${rows.map((row) => known.groups.get(row.groupKey))}::uuid[])`.execute(trx)
  return new Map(found.rows.map((grant) => [`${grant.groupId} ${names.get(grant.roleId)}`, grant.isDefault]))
}

function refusalOf(errors: ImportError[]): Refusal {
  const order = ['users.csv', 'groups.csv', 'members.csv', 'access.csv']
  const sorted = errors.sort((a, b) => order.indexOf(a.file) - order.indexOf(b.file) || a.line - b.line)
  const [first] = sorted
  const count = `${errors.length} ${errors.length === 1 ? 'error' : 'errors'}`
  return new Refusal(
    'invalid_import',
    `Nothing was imported: ${count}. ${first?.file}, line ${first?.line}: ${first?.message}.`,
    { errorCount: errors.length, errors: sorted.slice(0, namedErrors) },
  )
}

async function write(trx: Trx, rows: ImportRows, known: Known) {
  const accounts = { created: 0, updated: 0 }
  for (const chunk of chunksOf([...rows.users.values()])) {
    const { created, updated } = await ensureAccounts(trx, chunk)
    for (const { key, id } of created) known.accounts.set(key, id)
    accounts.created += created.length
    accounts.updated += updated.length
  }
  const groups = { created: 0, updated: 0 }
  const concerned = new Set<string>()
  for (const chunk of chunksOf([...rows.groups.values()])) {
    const { created, updated } = await ensureGroups(trx, chunk)
    for (const { key, id } of created) {
      known.groups.set(key, id)
      concerned.add(key)
    }
    groups.created += created.length
    groups.updated += updated.length
  }
  const added = await writeMembers(trx, rows, known)
  const access = await writeAccess(trx, rows, known, concerned)
  const report = {
    users: { ...accounts, unchanged: rows.users.size - accounts.created - accounts.updated },
    groups: { ...groups, unchanged: rows.groups.size - groups.created - groups.updated },
    members: { added, unchanged: rows.members.length - added },
    access: { ...access, unchanged: rows.access.length - access.added - access.madeDefault },
  }
  const changed =
    accounts.created + accounts.updated + groups.created + groups.updated + added + access.added + access.madeDefault > 0
  return { report, changed, concernedNameKeys: [...concerned] }
}

async function writeMembers(trx: Trx, rows: ImportRows, known: Known): Promise<number> {
  const pairs = rows.members.map((row) => ({
    groupId: idOf(known.groups, row.groupKey),
    accountId: idOf(known.accounts, row.userKey),
  }))
  // By group: one log entry a group, and neighbours on disk.
  pairs.sort((a, b) => (a.groupId < b.groupId ? -1 : a.groupId > b.groupId ? 1 : 0))
  let added = 0
  for (const chunk of chunksOf(pairs))
    added += (await addMembers(trx, chunk, { action: 'members.changed', facts: { by: 'import' } })).added
  return added
}

async function writeAccess(
  trx: Trx,
  rows: ImportRows,
  known: Known,
  concerned: Set<string>,
): Promise<{ added: number; madeDefault: number }> {
  const counts = { added: 0, madeDefault: 0 }
  for (const chunk of chunksOf(rows.access)) {
    const roles = await ensureRoles(trx, chunk)
    const change = await addGrants(
      trx,
      chunk.map(
        (row): Grant => ({
          groupId: idOf(known.groups, row.groupKey),
          roleId: idOf(roles, roleKey(row)),
          isDefault: row.isDefault,
        }),
      ),
    )
    counts.added += change.added.length
    counts.madeDefault += change.madeDefault.length
    const isNowDefault = new Set(
      [...change.added, ...change.madeDefault].filter((grant) => grant.isDefault).map((grant) => grant.groupId),
    )
    for (const row of chunk) if (isNowDefault.has(idOf(known.groups, row.groupKey))) concerned.add(row.groupKey)
  }
  return counts
}

function idOf<Id>(ids: Map<string, Id>, key: string): Id {
  const id = ids.get(key)
  if (id === undefined) throw new Error(`A name that was checked is not known: ${key}`)
  return id
}

function* chunksOf<T>(rows: T[]): Generator<T[]> {
  for (let from = 0; from < rows.length; from += chunkRows) yield rows.slice(from, from + chunkRows)
}
