import { type ImportError, readImportFiles, shown } from '../../organization/import-files.ts'
import { type Source, SourceError, sourceError } from '../source.ts'
import { readFileWhole } from './files.ts'

/**
 * Reads people and groups from `users.csv` (user_name,email,display_name), `groups.csv` (group,description) and
 * `members.csv` (group,user_name). What is absent from a source is not pushed, so it is read whole or not used.
 * @throws SourceError with up to 20 lines
 */
export async function readCsvFolder(folder: string): Promise<Source> {
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
  if (errors.length > 0) throw sourceError(errors.map(({ file, line, message }) => `${file}, line ${line}: ${message}`))
  return {
    users: [...rows.users.values()].map(({ userName, email, displayName }) => ({
      id: userName,
      userName,
      email,
      displayName,
      active: true,
    })),
    groups: [...rows.groups].map(([key, { name, description }]) => ({
      id: null,
      name,
      description,
      members: membersByGroup.get(key) ?? [],
    })),
  }
}

async function readWhole(folder: string, file: string): Promise<Uint8Array> {
  const bytes = await readFileWhole(folder, file)
  // Cut in the middle of a value, a line may still have all its fields: a group of another name.
  if (bytes.length > 0 && bytes.at(-1) !== 0x0a && bytes.at(-1) !== 0x0d)
    throw new SourceError([`${file} does not end with a line end: is it cut?`], 'If it is whole, add one.')
  return bytes
}

function addTo(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
