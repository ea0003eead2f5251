import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, GroupId } from '../database/ids.ts'
import { Refusal } from './refusal.ts'

/** What may be asked to be done to a group, by anybody but its provider. */
export const askedOfGroup = [
  'rename',
  'describe',
  'change_members',
  'protect',
  'delete',
  'grant',
  'import_grant',
  'make_default',
] as const
export type AskedOfGroup = (typeof askedOfGroup)[number]

/** What may be asked to be done to a person, by anybody but their provider. */
export const askedOfAccount = ['update_profile', 'switch_on_or_off', 'protect'] as const
export type AskedOfAccount = (typeof askedOfAccount)[number]

/** What decides about a change of a group: whose it is. `pairedWith` is the directory whose push of it is synced or awaits review. */
export interface GroupStanding {
  name: string
  managedBy: string | null
  pairedWith: string | null
  isProtected: boolean
}

/** What decides about a change of a person. */
export interface AccountStanding {
  userName: string
  ownedBy: string | null
}

/**
 * May this be done to this group? The one place that says so (rule 5): routes, command line, import and jobs ask here.
 * @returns the refusal, or undefined where nothing is in the way
 */
export function whyNotChangeGroup(change: AskedOfGroup, group: GroupStanding): Refusal | undefined {
  const { managedBy, pairedWith } = group
  const facts = { group: group.name, directory: managedBy ?? pairedWith }
  switch (change) {
    case 'grant':
      // A push never touches grants: if not even an admin could, a pushed group would never give access.
      return undefined
    case 'make_default':
      if (pairedWith === null) return undefined
      return new Refusal(
        'paired_with_directory',
        `"${group.name}" is pushed by ${pairedWith}: it cannot be a default access group, because new users would be put into a group that only the provider may change. Choose a group that is not pushed.`,
        facts,
      )
    case 'import_grant':
      // A file may be older than the push: who is in the group is no longer what its author saw.
      return managedBy === null
        ? undefined
        : new Refusal(
            'managed_by_directory',
            `"${group.name}" is managed by ${managedBy}. Grant it access by itself, not by import.`,
            facts,
          )
    case 'delete':
      if (managedBy !== null) return managed(managedBy, facts)
      if (!group.isProtected) return undefined
      return new Refusal('protected', `"${group.name}" is protected. Lift its protection first.`, facts)
    case 'rename':
    case 'describe':
    case 'change_members':
    case 'protect':
      return managedBy === null ? undefined : managed(managedBy, facts)
    default:
      return change satisfies never
  }
}

const managed = (directory: string, facts: Record<string, unknown>) =>
  new Refusal('managed_by_directory', `Managed by ${directory}. Change it there.`, facts)

/** May this be done to this person? The one place that says so (rule 5). */
export function whyNotChangeAccount(change: AskedOfAccount, account: AccountStanding): Refusal | undefined {
  // Protection is the organization's word about its own people: a directory that owns a person has no say in it.
  if (change === 'protect' || account.ownedBy === null) return undefined
  return new Refusal('managed_by_directory', `Managed by ${account.ownedBy}. Change it there.`, {
    person: account.userName,
    directory: account.ownedBy,
  })
}

/** What may be done and what not, with the reason: what lists and pages show. */
export interface Permitted<Change extends string> {
  can: Change[]
  cannot: { what: Change; why: string }[]
}

/** What an admin may be offered to do to a group. */
export const offeredOfGroup = askedOfGroup.filter((change) => change !== 'import_grant')

export const permittedOfGroup = (group: GroupStanding): Permitted<(typeof offeredOfGroup)[number]> =>
  permitted(offeredOfGroup, (change) => whyNotChangeGroup(change, group))

export const permittedOfAccount = (account: AccountStanding): Permitted<AskedOfAccount> =>
  permitted(askedOfAccount, (change) => whyNotChangeAccount(change, account))

function permitted<Change extends string>(
  changes: readonly Change[],
  whyNot: (change: Change) => Refusal | undefined,
): Permitted<Change> {
  const answer: Permitted<Change> = { can: [], cannot: [] }
  for (const change of changes) {
    const refusal = whyNot(change)
    if (refusal) answer.cannot.push({ what: change, why: refusal.message })
    else answer.can.push(change)
  }
  return answer
}

/**
 * Locks groups, in the order of their ids, and says whose they are. A group that is not there is not in the answer.
 * A group's pairing cannot change while it is locked: whoever pairs a group locks it first.
 */
export async function lockGroups(trx: Reader, groupIds: readonly GroupId[]): Promise<Map<GroupId, GroupStanding>> {
  // Two statements: one that waited for a lock does not see in other tables what the lock's holder wrote.
  const locked = sql`
    select from groups where org_id = ${trx.orgId} and id = any(${groupIds}::uuid[]) and effective
    order by id for no key update`.execute(trx)
  const [, { rows }] = await Promise.all([locked, standingsOf(trx, groupIds)])
  return new Map(rows.map(({ id, ...standing }) => [id, standing]))
}

const standingsOf = (trx: Reader, groupIds: readonly GroupId[]) =>
  sql<GroupStanding & { id: GroupId }>`
  select g.id, g.name, m.name as "managedBy", d.name as "pairedWith", g.is_protected as "isProtected"
  from groups g
  left join directories m on m.org_id = g.org_id and m.id = g.managed_by
  left join provisioned_groups p on p.org_id = g.org_id and p.group_id = g.id and p.state not in ('blocked', 'ignored')
  left join directories d on d.org_id = p.org_id and d.id = p.directory_id
  where g.org_id = ${trx.orgId} and g.id = any(${groupIds}::uuid[]) and g.effective`.execute(trx)

/** Locks one group and refuses unless each of these changes may be done to it. */
export async function lockGroupFor(trx: Reader, groupId: GroupId, changes: readonly AskedOfGroup[]): Promise<GroupStanding> {
  const standing = (await lockGroups(trx, [groupId])).get(groupId)
  if (standing === undefined) throw new Refusal('not_found', 'There is no such group.', { group: groupId })
  for (const change of changes) {
    const refusal = whyNotChangeGroup(change, standing)
    if (refusal) throw refusal
  }
  return standing
}

/** Locks one account and says whose it is. @throws Refusal `not_found` */
export async function lockAccount(trx: Reader, accountId: AccountId): Promise<AccountStanding> {
  const { rows } = await sql<AccountStanding>`
    select a.user_name as "userName", (select d.name from directories d where d.org_id = a.org_id and d.id = a.owned_by) as "ownedBy"
    from accounts a where a.org_id = ${trx.orgId} and a.id = ${accountId}
    for no key update of a`.execute(trx)
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such person.', { person: accountId })
  return rows[0]
}
