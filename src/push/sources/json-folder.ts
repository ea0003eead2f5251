import { JsonError, readJson } from '../../scim/json.ts'
import { type Source, SourceError, type SourceGroup, type SourceUser } from '../source.ts'
import { readFileWhole } from './files.ts'

/**
 * Reads people and groups from `users.json`, `[{ "userName", "id"?, "email"?, "displayName"?, "active"? }]`, and `groups.json`,
 * `[{ "name", "id"?, "description"?, "members": [id, or userName where people have no ids] }]`.
 * @throws SourceError
 */
export async function readJsonFolder(folder: string): Promise<Source> {
  const [users, groups] = await Promise.all(['users.json', 'groups.json'].map((file) => readList(folder, file)))
  return { users: (users ?? []).map(readUser), groups: (groups ?? []).map(readGroup) }
}

async function readList(folder: string, file: string): Promise<Record<string, unknown>[]> {
  const bytes = await readFileWhole(folder, file)
  let read: unknown
  try {
    read = readJson(bytes)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new SourceError([`${file} is no JSON: ${error.message}`], 'Is it cut?')
  }
  if (Array.isArray(read) && read.every((one) => typeof one === 'object' && one !== null && !Array.isArray(one))) return read
  throw new SourceError([`${file} is not a list of objects`])
}

function readUser(user: Record<string, unknown>, index: number): SourceUser {
  const where = `users.json, ${index + 1}`
  const userName = needed(user.userName, `${where}: userName`)
  return {
    id: optional(user.id, `${where}: id`) ?? userName,
    userName,
    email: optional(user.email, `${where}: email`),
    displayName: optional(user.displayName, `${where}: displayName`),
    active: user.active !== false,
  }
}

function readGroup(group: Record<string, unknown>, index: number): SourceGroup {
  const where = `groups.json, ${index + 1}`
  const { members } = group
  // A group that says nothing of its members is not an empty one.
  if (!Array.isArray(members)) throw new SourceError([`${where}: members is not a list`])
  return {
    id: optional(group.id, `${where}: id`),
    name: needed(group.name, `${where}: name`),
    description: optional(group.description, `${where}: description`),
    members: [...new Set(members.map((member) => needed(member, `${where}: a member`)))],
  }
}

function needed(value: unknown, where: string): string {
  const text = optional(value, where)
  if (text === null || text.trim() === '') throw new SourceError([`${where} is missing`])
  return text.trim()
}

function optional(value: unknown, where: string): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string') return value
  throw new SourceError([`${where} is not text`])
}
