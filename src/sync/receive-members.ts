import type { Trx } from '../database/connection.ts'
import type { ProvisionedGroupId } from '../database/ids.ts'
import { planAnew } from '../database/transaction.ts'
import type { PushedRows } from '../organization/memberships.ts'
import type { DirectoryContext } from '../provisioning/directories.ts'
import { type HeldGroup, touchMembers } from '../provisioning/groups.ts'
import { pushMemberships } from '../provisioning/guard.ts'
import { changeNesting, groupsAmong, pushDirectMembers } from '../provisioning/nesting.ts'
import { pushedDelta, pushedWhole, unknownAmong } from '../provisioning/pushed-members.ts'
import {
  forgetUnknownMembers,
  keepUnknownMembers,
  recordUnknownMembers,
  refuseNested,
  resolveUnknownMembers,
} from '../provisioning/unknown-members.ts'
import type { MemberInput, MembersChange } from '../scim/resource.ts'

// From here on a plan that was made when the tables were nearly empty would cost more than new plans do.
const many = 500

/**
 * A push of members arrives at a group that is locked.
 * @param isNew nobody is in it yet
 * @returns whether anything changed
 * @throws Refusal `unknown_members`, `nested_groups`
 */
export async function receiveMembers(
  trx: Trx,
  directory: DirectoryContext,
  { id, isNested }: Pick<HeldGroup, 'id' | 'isNested'>,
  members: MembersChange,
  { isNew = false } = {},
): Promise<boolean> {
  const isWhole = 'all' in members
  // Not awaited: it goes in one piece with the write.
  if ((isWhole ? members.all.length : members.added.length + members.removed.length) >= many) planAnew(trx).catch(() => {})
  const rows = isWhole
    ? pushedWhole(trx, directory.id, { id, isNested }, members.all)
    : pushedDelta(trx, directory.id, id, members)
  const { isWritten, said } = await writeMembers(trx, directory, { id, isNested }, rows)
  if (!isNew && isWritten) await touchMembers(trx, [id])
  const given = isWhole ? members.all : members.added
  // A whole list also ends what was no user before and is not in it.
  const gone = isWhole ? (isNew ? [] : 'rest') : members.removed
  const isAllKnown = said.toBe === given.length && (isWhole || said.notToBe === members.removed.length)
  if (isAllKnown && gone !== 'rest') return isWritten
  const othersChanged = await receiveOthers(trx, directory, { id, isNested }, given, gone)
  if (othersChanged && !isNew) await touchMembers(trx, [id])
  return othersChanged || isWritten
}

async function writeMembers(
  trx: Trx,
  directory: DirectoryContext,
  { id, isNested }: Pick<HeldGroup, 'id' | 'isNested'>,
  rows: PushedRows,
): Promise<{ isWritten: boolean; said: { toBe: number; notToBe: number } }> {
  if (isNested) {
    const { changed, said } = await pushDirectMembers(trx, directory.id, id, rows)
    return { isWritten: changed.length > 0, said }
  }
  const written = await pushMemberships(trx, directory.id, rows)
  return { isWritten: written.pushedAdded + written.pushedRemoved > 0, said: written.said }
}

/** What of a push are no users of the directory: groups of it, and values that are neither. */
async function receiveOthers(
  trx: Trx,
  directory: DirectoryContext,
  { id, isNested }: Pick<HeldGroup, 'id' | 'isNested'>,
  given: readonly MemberInput[],
  gone: readonly string[] | 'rest',
): Promise<boolean> {
  const others = await unknownAmong(trx, directory.id, given)
  const values = others.map((member) => member.value)
  const groups = await groupsAmong(trx, directory.id, values)
  const isOneOf = new Set<string>(groups)
  const [nested, unknown] = [[], []] as [MemberInput[], MemberInput[]]
  for (const member of others) (isOneOf.has(member.value.toLowerCase()) ? nested : unknown).push(member)
  refuseNested(directory, [...nested, ...unknown.filter((member) => member.isGroup)])
  const unknownValues = unknown.map((member) => member.value)
  const forgotten =
    gone === 'rest'
      ? await keepUnknownMembers(trx, directory.id, id, unknownValues)
      : await forgetUnknownMembers(trx, directory.id, id, gone)
  const recorded = await recordUnknownMembers(trx, directory, id, unknown)
  const isNestChanged =
    (isNested || groups.length > 0) && (await changeNesting(trx, directory.id, [id], { added: groups, removed: gone }))
  return forgotten + recorded > 0 || isNestChanged
}

/** Groups that named an offered group as a member hold it as soon as it is a pushed one. */
export async function resolveNested(trx: Trx, directory: DirectoryContext, id: ProvisionedGroupId): Promise<void> {
  const parents = await resolveUnknownMembers(trx, directory.id, [id])
  if (parents.length === 0) return
  await changeNesting(
    trx,
    directory.id,
    parents.map((parent) => parent.id),
    { added: [id], removed: [] },
  )
}
