import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type ImportError, readImportFiles, shown } from '../organization/import-files.ts'
import { Refusal } from '../organization/refusal.ts'
import type { UserToPush } from './scim-target.ts'

export type SourceUser = UserToPush
/** A group of the source; members are user names of its users. */
export interface SourceGroup {
  name: string
  description: string | null
  members: string[]
}
export interface SourceFolder {
  users: SourceUser[]
  groups: SourceGroup[]
}

/** The source cannot be used: what is wrong, a line of a file each, and what to do. */
export class SourceError extends Refusal {
  readonly lines: string[]
  readonly advice: string
  constructor(lines: string[], advice: string) {
    super('invalid_import', `${lines[0]}. ${advice}`, { errors: lines })
    this.name = 'SourceError'
    this.lines = lines
    this.advice = advice
  }
}

const namedErrors = 20

/**
 * Reads people and groups from `users.csv` (user_name,email,display_name), `groups.csv` (group,description) and
 * `members.csv` (group,user_name). What is absent from a source is not pushed, so it is read whole or not used.
 * @throws SourceError with up to 20 lines
 */
export async function readSourceFolder(folder: string): Promise<SourceFolder> {
  const [users, groups, members] = await Promise.all(
    ['users.csv', 'groups.csv', 'members.csv'].map((file) => readWhole(folder, file)),
  )
  const rows = await readImportFiles({ users, groups, members })
  const errors: ImportError[] = [...rows.errors]
  const membersByGroup = new Map<string, string[]>()
  for (const { line, group, groupKey, userName, userKey } of rows.members) {
    const user = rows.users.get(userKey)
    if (!rows.groups.has(groupKey))
      errors.push({ file: 'members.csv', line, message: `group ${shown(group)} is not in groups.csv` })
    else if (!user) errors.push({ file: 'members.csv', line, message: `user ${shown(userName)} is not in users.csv` })
    else addTo(membersByGroup, groupKey, user.userName)
  }
  if (errors.length > 0) throw errorOf(errors)
  return {
    users: [...rows.users.values()].map(({ userName, email, displayName }) => ({ userName, email, displayName })),
    groups: [...rows.groups].map(([key, { name, description }]) => ({
      name,
      description,
      members: membersByGroup.get(key) ?? [],
    })),
  }
}

async function readWhole(folder: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, file))
  } catch (error) {
    const isFolder = await stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    )
    if (!isFolder)
      throw new SourceError([`There is no folder ${folder}`], 'Name one that holds users.csv, groups.csv and members.csv.')
    const why =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'is missing'
        : `cannot be read (${(error as NodeJS.ErrnoException).code})`
    throw new SourceError([`${file} ${why} in ${folder}`], 'A source is users.csv, groups.csv and members.csv.')
  }
}

function errorOf(errors: ImportError[]): SourceError {
  const lines = errors.slice(0, namedErrors).map(({ file, line, message }) => `${file}, line ${line}: ${message}`)
  if (errors.length > lines.length) lines.push(`and ${errors.length - lines.length} more`)
  return new SourceError(lines, 'Nothing was pushed. Correct the source and push again.')
}

function addTo(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
