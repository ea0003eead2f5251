import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, GroupId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import type { Account } from '../organization/accounts.ts'
import type { Group } from '../organization/groups.ts'
import { groupStateWords } from '../provisioning/state-words.ts'
import { accountStep, at, provisionedUsersOf, quoted, type Step, userStep, wouldBeIn } from './why.ts'

/** Why a group is as it is, or why somebody is in it or not: the chain from the provider's push, in plain words. */
export interface WhyGroup {
  group: { id: GroupId; name: string }
  person: { id: AccountId; userName: string } | null
  /** Of a group: whether it is as it is pushed. Of a person: whether they are in it. */
  holds: boolean
  /** The same if what is pushed of it were synced. */
  ifSynced: boolean
  /** The first link that does not hold. */
  broken?: string
  steps: Step[]
}

interface Pushed {
  directory: string
  id: string
  name: string
  state: GroupState
  reasons: GroupReason[]
  at: Date
  isPaired: boolean
  toAdd: number
  toRemove: number
  isMember: boolean
}

interface Membership {
  effective: boolean
  waiting: 'kept' | 'held' | null
  since: Date
}

/** Explains a group. */
export async function whyGroup(reader: Reader, group: Group): Promise<WhyGroup> {
  const [[pushed], grants] = await Promise.all([pushedAs(reader, group.id, null), grantsOf(reader, group.id)])
  const differences = pushed?.isPaired ? pushed.toAdd + pushed.toRemove : 0
  const steps: Step[] = [
    pushed === undefined
      ? { what: 'push', holds: null, text: `No directory pushes ${quoted(group.name)}: what is in it is yours to change.` }
      : { what: 'push', holds: null, text: `${pushed.directory} pushes it as ${quoted(pushed.name)}.`, at: pushed.at },
    ...(pushed === undefined ? [] : [stateStep(pushed)]),
    ...(pushed?.isPaired ? [differencesStep(pushed)] : []),
    { what: 'grant', holds: null, text: grants.length === 0 ? 'It is granted nothing.' : `It is granted ${some(grants)}.` },
    { what: 'access', holds: null, text: `${group.memberCount} ${group.memberCount === 1 ? 'person is' : 'people are'} in it.` },
  ]
  const isAsPushed = pushed === undefined || (isInForce(pushed) && differences === 0)
  return answer(group, null, isAsPushed, pushed === undefined || (pushed.isPaired && pushed.state !== 'blocked'), steps)
}

/** Explains why a person is in a group, or is not. */
export async function whyMember(reader: Reader, group: Group, person: Account): Promise<WhyGroup> {
  const [[pushed], users, membership] = await Promise.all([
    pushedAs(reader, group.id, person.id),
    provisionedUsersOf(reader, person.id),
    membershipOf(reader, group.id, person.id),
  ])
  const isIn = membership?.effective === true && person.active
  const steps: Step[] = [
    pushOfMember(group, person, pushed),
    ...users.map((user) => userStep(person, user)),
    accountStep(person),
    membershipStep(group, person, pushed, membership),
    ...(pushed === undefined ? [] : [stateStep(pushed)]),
    {
      what: 'access',
      holds: isIn,
      text: `${person.userName} is ${isIn ? '' : 'not '}in ${quoted(group.name)}${isIn ? '' : ' in force'}.`,
    },
  ]
  const path = {
    pushed: pushed?.isMember ?? false,
    effective: membership?.effective ?? false,
    isPaired: pushed?.isPaired ?? false,
    state: pushed?.state ?? null,
    pushedName: pushed?.name ?? null,
    pushedId: pushed?.id ?? null,
  }
  return answer(group, person, isIn, person.active && wouldBeIn(path), steps)
}

function answer({ id, name }: Group, person: Account | null, holds: boolean, ifSynced: boolean, steps: Step[]): WhyGroup {
  const broken = holds ? undefined : steps.find((step) => step.holds === false)
  const who = person === null ? null : { id: person.id, userName: person.userName }
  return { group: { id, name }, person: who, holds, ifSynced, ...(broken === undefined ? {} : { broken: broken.text }), steps }
}

// The pushed group that is this one goes before those that have its name only.
async function pushedAs(reader: Reader, groupId: GroupId, accountId: AccountId | null): Promise<Pushed[]> {
  const { rows } = await sql<Pushed>`
    select d.name as directory, p.id, p.name, p.state, p.reasons, coalesce(p.members_written_at, p.updated_at) as at, own.id = g.id as "isPaired",
      own.add_count as "toAdd", own.remove_count as "toRemove", coalesce(m.pushed, false) as "isMember"
    from (select id, name_key from groups where org_id = ${reader.orgId} and id = ${groupId} offset 0) g
    cross join lateral (
      select * from provisioned_groups where org_id = ${reader.orgId} and group_id = g.id
      union select * from provisioned_groups where org_id = ${reader.orgId} and name_key = g.name_key
    ) p
    cross join lateral (select * from groups where org_id = ${reader.orgId} and id = p.group_id offset 0) own
    cross join lateral (select name, name_key from directories where org_id = ${reader.orgId} and id = p.directory_id offset 0) d
    left join lateral (
      select pushed from memberships where org_id = ${reader.orgId} and group_id = p.group_id and account_id = ${accountId}::uuid offset 0
    ) m on true
    where own.id = g.id or not own.effective
    order by "isMember" desc, "isPaired" desc, d.name_key limit 1`.execute(reader)
  return rows
}

async function membershipOf(reader: Reader, groupId: GroupId, accountId: AccountId): Promise<Membership | undefined> {
  return reader
    .selectFrom('memberships')
    .select(['effective', 'waiting', 'since'])
    .where('org_id', '=', reader.orgId)
    .where('group_id', '=', groupId)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
}

async function grantsOf(reader: Reader, groupId: GroupId): Promise<string[]> {
  const { rows } = await sql<{ role: string }>`
    select s.name || '/' || p.name || '/' || r.name as role
    from grants g
    cross join lateral (select * from product_roles where org_id = ${reader.orgId} and id = g.role_id offset 0) r
    cross join lateral (select * from products where org_id = ${reader.orgId} and id = r.product_id offset 0) p
    cross join lateral (select * from sites where org_id = ${reader.orgId} and id = p.site_id offset 0) s
    where g.org_id = ${reader.orgId} and g.group_id = ${groupId} order by 1`.execute(reader)
  return rows.map(({ role }) => role)
}

const isInForce = ({ state }: Pushed): boolean => state === 'synced' || state === 'held'

const nextStep: Partial<Record<GroupState, string>> = {
  needs_review: ' Review it, then sync it.',
  blocked: ' It can be synced once that is no longer so.',
  ignored: ' Stop ignoring it to review it.',
  ready: ' It comes into force as the directory goes live.',
}

const stateStep = (pushed: Pushed): Step => ({
  what: 'state',
  holds: isInForce(pushed),
  text: `${quoted(pushed.name)} is pushed by ${pushed.directory}: ${groupStateWords(pushed.state, pushed.reasons)}.${nextStep[pushed.state] ?? ''}`,
  ...at(pushed.at),
})

function differencesStep({ toAdd, toRemove }: Pushed): Step {
  const parts = [toAdd > 0 ? `${toAdd} to be added` : '', toRemove > 0 ? `${toRemove} to be removed` : ''].filter(
    (part) => part !== '',
  )
  return {
    what: 'membership',
    holds: parts.length === 0,
    text: parts.length === 0 ? 'Its members are as they are pushed.' : `Members wait: ${parts.join(', ')}.`,
  }
}

function pushOfMember(group: Group, { userName }: Account, pushed: Pushed | undefined): Step {
  if (pushed === undefined) return { what: 'push', holds: null, text: `No directory pushes ${quoted(group.name)}.` }
  const text = pushed.isMember
    ? `${pushed.directory} pushes ${userName} as a member of ${quoted(pushed.name)}.`
    : `${pushed.directory} pushes ${quoted(pushed.name)}, without ${userName}.`
  return { what: 'push', holds: isInForce(pushed) ? pushed.isMember : null, text, ...at(pushed.at) }
}

const waitingWords = {
  kept: 'was kept when the group was merged',
  held: 'was taken by the provider, which waits for an admin',
} as const

function membershipStep(
  group: Group,
  { userName }: Account,
  pushed: Pushed | undefined,
  membership: Membership | undefined,
): Step {
  if (membership?.effective) {
    const why = membership.waiting === null ? '' : `: ${userName} ${waitingWords[membership.waiting]}`
    return {
      what: 'membership',
      holds: true,
      text: `${userName} is a member of ${quoted(group.name)}${why}.`,
      ...at(membership.since),
    }
  }
  const text = pushed?.isMember
    ? `${userName} is pushed into ${quoted(group.name)} by ${pushed.directory}, but that is not in force.`
    : `${userName} is no member of ${quoted(group.name)}.`
  return { what: 'membership', holds: false, text }
}

const namedAtMost = 5
const some = (names: string[]): string =>
  names.length <= namedAtMost
    ? names.join(', ')
    : `${names.slice(0, namedAtMost).join(', ')} and ${names.length - namedAtMost} more`
