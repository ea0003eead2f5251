import { Readable } from 'node:stream'
import type { Reader } from '../../database/connection.ts'
import type { DirectoryId } from '../../database/ids.ts'
import { reading } from '../../database/transaction.ts'
import type { GroupRecord } from '../../provisioning/read.ts'
import { type MemberParts, membersAtOnce, membersTexts } from '../../provisioning/read-members.ts'
import { find } from '../../scim/names.ts'
import { type Projection, project, wants, wantsPart } from '../../scim/projection.ts'
import { groupResource, locationOf } from '../../scim/representation.ts'
import { groupType } from '../../scim/schemas.ts'
import type { Parts } from '../parts.ts'
import { scimBase } from './answers.ts'
import type { Asker } from './writes.ts'

/** Reads something of the organization in a transaction of its own. */
export type Read = <T>(work: (reader: Reader) => Promise<T>) => Promise<T>

/**
 * Groups as JSON text, joined by commas, piece by piece: members are read as text, 5,000 in a go, each go in a transaction of its
 * own, so that neither memory nor a connection is held by a slow reader. Read by key: who stays a member meanwhile is never missed.
 */
async function* groupTexts(
  groups: readonly GroupRecord[],
  projection: Projection,
  base: string,
  directoryId: DirectoryId,
  read: Read,
) {
  const parts = groups.every(isEmpty) ? undefined : memberParts(projection, base)
  let separator = ''
  for (const batch of parts === undefined ? [[...groups]] : batches(groups)) {
    const first = parts === undefined ? [] : await read((reader) => membersTexts(reader, directoryId, batch, parts))
    for (const [at, group] of batch.entries()) {
      const text = JSON.stringify(project(groupResource(group, base), projection))
      const members = first[at]
      yield separator + text.slice(0, -1)
      separator = ','
      // Nobody is no attribute, as everywhere (RFC 7643 §2.5).
      let before = ',"members":['
      for (let page = members; page !== undefined && parts !== undefined; ) {
        if (page.text !== '') {
          yield before + page.text
          before = ','
        }
        const { last } = page
        if (last === undefined) break
        ;[page] = await read((reader) => membersTexts(reader, directoryId, [group], parts, last))
      }
      yield before === ',' ? ']}' : '}'
    }
  }
}

/** Groups as one answer with what stands around them: one transaction where the members are few; a stream, read in further ones, where they are many. */
export async function groupsAnswer(
  { db, publicUrl }: Pick<Parts, 'db' | 'publicUrl'>,
  asker: Asker,
  groups: readonly GroupRecord[],
  projection: Projection,
  read: Read,
  [before, after]: readonly [string, string] = ['', ''],
): Promise<string | Readable> {
  const texts = (one: Read) => groupTexts(groups, projection, scimBase(publicUrl), asker.directory.id, one)
  if (isOneGo(groups, projection)) return before + (await Array.fromAsync(texts(read))).join('') + after
  const each: Read = (work) => reading(db, asker.scope, work)
  return Readable.from(surrounded(before, texts(each), after), { objectMode: false })
}

// Of a group in a nest its groups are members, too.
const isEmpty = ({ memberCount, shown }: GroupRecord): boolean => memberCount === 0 && shown === 'pushed'

async function* surrounded(before: string, texts: AsyncIterable<string>, after: string): AsyncGenerator<string> {
  if (before !== '') yield before
  yield* texts
  if (after !== '') yield after
}

// All of it is read in one go.
function isOneGo(groups: readonly GroupRecord[], projection: Projection): boolean {
  return memberParts(projection, '') === undefined || groups.reduce((sum, group) => sum + group.memberCount, 0) < membersAtOnce
}

const members = find(groupType.attributes, 'members')

const isPartWanted = (projection: Projection, name: string): boolean =>
  members?.subAttributes?.some((part) => part.name === name && wantsPart(projection, members, part)) === true

/** Whether members are shown with their names, which are theirs: they change without the group. */
export const showsNames = (projection: Projection): boolean => isPartWanted(projection, 'display')

// With `excludedAttributes=members` no member is read, let alone sent.
function memberParts(projection: Projection, base: string): MemberParts | undefined {
  if (!wants(projection, 'members')) return undefined
  const parts = {
    value: isPartWanted(projection, 'value'),
    refBase: isPartWanted(projection, '$ref')
      ? { User: locationOf('User', '', base), Group: locationOf('Group', '', base) }
      : undefined,
    display: isPartWanted(projection, 'display'),
    type: isPartWanted(projection, 'type'),
  }
  return Object.values(parts).some(Boolean) ? parts : undefined
}

// So many groups in a go as have 5,000 members together; a larger one is on its own.
function batches(groups: readonly GroupRecord[]): GroupRecord[][] {
  const found: GroupRecord[][] = []
  let room = -1
  for (const group of groups) {
    if (group.memberCount > room) {
      found.push([])
      room = membersAtOnce
    }
    found.at(-1)?.push(group)
    room -= group.memberCount
  }
  return found
}
