import type { Reader } from '../../database/connection.ts'
import type { DirectoryId } from '../../database/ids.ts'
import { type GroupRecord, type MemberParts, membersAtOnce, membersTexts } from '../../provisioning/read.ts'
import { type Projection, project, wants, wantsPart } from '../../scim/projection.ts'
import { groupResource } from '../../scim/representation.ts'

/** Reads something of the organization in a transaction of its own. */
export type Read = <T>(work: (reader: Reader) => Promise<T>) => Promise<T>

/**
 * Groups as JSON text, joined by commas, piece by piece: members are read as text, 5,000 in a go, each go in a transaction of its
 * own, so that neither memory nor a connection is held by a slow reader. Read by key: who stays a member meanwhile is never missed.
 */
export async function* groupTexts(
  groups: readonly GroupRecord[],
  projection: Projection,
  base: string,
  directoryId: DirectoryId,
  read: Read,
) {
  const parts = memberParts(projection)
  let separator = ''
  for (const batch of parts === undefined ? [[...groups]] : batches(groups)) {
    const ids = batch.map((group) => group.groupId)
    const first = parts === undefined ? [] : await read((reader) => membersTexts(reader, directoryId, ids, parts))
    for (const [at, group] of batch.entries()) {
      const text = JSON.stringify(project(groupResource(group, base), projection))
      const members = first[at]
      yield separator + (members === undefined || parts === undefined ? text : `${text.slice(0, -1)},"members":[${members.text}`)
      separator = ','
      if (members === undefined || parts === undefined) continue
      let isEmpty = members.text === ''
      for (let { last } = members; last !== undefined; ) {
        const after = last
        const [next] = await read((reader) => membersTexts(reader, directoryId, [group.groupId], parts, after))
        if (next?.text) yield (isEmpty ? '' : ',') + next.text
        isEmpty &&= !next?.text
        last = next?.last
      }
      yield ']}'
    }
  }
}

/** Whether all of it is read in one go: then one transaction and one answer without a stream will do. */
export function isOneGo(groups: readonly GroupRecord[], projection: Projection): boolean {
  return memberParts(projection) === undefined || groups.reduce((sum, group) => sum + group.memberCount, 0) < membersAtOnce
}

// With `excludedAttributes=members` no member is read, let alone sent.
function memberParts(projection: Projection): MemberParts | undefined {
  if (!wants(projection, 'members')) return undefined
  const [value, display, type] = ['value', 'display', 'type'].map((part) => wantsPart(projection, 'members', part))
  return value || display || type ? { value: value === true, display: display === true, type: type === true } : undefined
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
