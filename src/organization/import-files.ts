import { type RoleName, roleKey } from './access.ts'
import type { GivenAccount } from './accounts.ts'
import { readCsv } from './csv.ts'
import type { GivenGroup } from './groups.ts'
import { nameKey } from './name-key.ts'
import { maxNameLength, maxTextLength, whyNotLine, whyNotName, whyNotText } from './name-rules.ts'

/** An organization as CSV files: text, or the bytes of a file. Any of them may be left out. */
export interface ImportFiles {
  /** `user_name,email,display_name` */
  users?: string | Uint8Array | undefined
  /** `group,description` */
  groups?: string | Uint8Array | undefined
  /** `group,user_name` */
  members?: string | Uint8Array | undefined
  /** `site,product,role,group,default` */
  access?: string | Uint8Array | undefined
}

/** What is wrong, and where. */
export interface ImportError {
  file: string
  line: number
  message: string
}

/** A line that names a group, by its name key and as it was written. */
interface OfGroup {
  line: number
  group: string
  groupKey: string
}

export interface MemberRow extends OfGroup {
  userName: string
  userKey: string
}

export interface AccessRow extends OfGroup, RoleName {
  isDefault: boolean
}

/** What the files say, each thing once, with all that is wrong in the files themselves. Maps are by name key. */
export interface ImportRows {
  users: Map<string, GivenAccount & { line: number }>
  groups: Map<string, GivenGroup & { line: number }>
  members: MemberRow[]
  access: AccessRow[]
  errors: ImportError[]
}

/** Reads the files; the database is not asked. */
export async function readImportFiles(files: ImportFiles): Promise<ImportRows> {
  const rows: ImportRows = { users: new Map(), groups: new Map(), members: [], access: [], errors: [] }
  await readFile('users.csv', files.users, ['user_name', 'email', 'display_name'], rows, readUser)
  await readFile('groups.csv', files.groups, ['group', 'description'], rows, readGroup)
  await readFile('members.csv', files.members, ['group', 'user_name'], rows, readMember)
  await readFile('access.csv', files.access, ['site', 'product', 'role', 'group', 'default'], rows, readAccess)
  return rows
}

/** What is wrong with a row, or nothing: then it was added to the rows. `seen` has the line of what the file said before. */
type ReadRow = (rows: ImportRows, line: number, fields: string[], seen: Map<string, number>) => string | undefined

async function readFile(
  file: string,
  source: string | Uint8Array | undefined,
  columns: string[],
  rows: ImportRows,
  readRow: ReadRow,
): Promise<void> {
  if (source === undefined) return
  const seen = new Map<string, number>()
  const problems = await readCsv(source, columns, (line, fields) => {
    const message = readRow(
      rows,
      line,
      fields.map((field) => field.trim()),
      seen,
    )
    if (message !== undefined) rows.errors.push({ file, line, message })
  })
  rows.errors.push(...problems.map((problem) => ({ file, ...problem })))
}

const readUser: ReadRow = (rows, line, [userName = '', email = '', displayName = ''], seen) => {
  const wrong =
    wrongName('user_name', userName) ??
    wrongText('email', email, maxNameLength, whyNotLine) ??
    wrongText('display_name', displayName, maxNameLength)
  if (wrong) return wrong
  const key = nameKey(userName)
  const twice = seenBefore(seen, key, line, `user "${userName}"`)
  if (twice) return twice
  rows.users.set(key, { line, userName, email: email || null, displayName: displayName || null })
}

const readGroup: ReadRow = (rows, line, [name = '', description = ''], seen) => {
  const wrong = wrongName('group', name) ?? wrongText('description', description, maxTextLength)
  if (wrong) return wrong
  const key = nameKey(name)
  const twice = seenBefore(seen, key, line, `group "${name}"`)
  if (twice) return twice
  rows.groups.set(key, { line, name, description: description || null })
}

const readMember: ReadRow = (rows, line, [group = '', userName = ''], seen) => {
  const wrong = wrongName('group', group) ?? wrongName('user_name', userName)
  if (wrong) return wrong
  const row = { line, group, groupKey: nameKey(group), userName, userKey: nameKey(userName) }
  const twice = seenBefore(seen, `${row.groupKey}\n${row.userKey}`, line, `member "${userName}" of "${group}"`)
  if (twice) return twice
  rows.members.push(row)
}

const booleans: Record<string, boolean> = { true: true, false: false, '': false }

const readAccess: ReadRow = (rows, line, [site = '', product = '', role = '', group = '', isDefault = ''], seen) => {
  const wrong = wrongName('site', site) ?? wrongName('product', product) ?? wrongName('role', role) ?? wrongName('group', group)
  if (wrong) return wrong
  const value = Object.hasOwn(booleans, isDefault.toLowerCase()) ? booleans[isDefault.toLowerCase()] : undefined
  if (value === undefined) return `default is ${shown(isDefault)}: say true or false`
  const row = { line, site, product, role, group, groupKey: nameKey(group), isDefault: value }
  const twice = seenBefore(seen, `${row.groupKey}\n${roleKey(row)}`, line, `access ${site}/${product}/${role} of "${group}"`)
  if (twice) return twice
  rows.access.push(row)
}

function wrongName(column: string, text: string): string | undefined {
  const why = whyNotName(text)
  return why === undefined ? undefined : `${column} ${text === '' ? '' : `${shown(text)} `}${why}`
}

function wrongText(column: string, text: string, max: number, whyNot = whyNotText): string | undefined {
  const why = whyNot(text, max)
  return why === undefined ? undefined : `${column} ${shown(text)} ${why}`
}

function seenBefore(seen: Map<string, number>, key: string, line: number, what: string): string | undefined {
  const before = seen.get(key)
  if (before === undefined) seen.set(key, line)
  return before === undefined ? undefined : `${what} is in line ${before} already`
}

/** A value as an error shows it: in quotes, cut, and what cannot be seen written out. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text.toWellFormed())
}
