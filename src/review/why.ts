import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import { findRole, type RoleName, roleText } from '../organization/access.ts'
import type { Account } from '../organization/accounts.ts'
import { nameKey } from '../organization/name-key.ts'
import { groupStateWords } from '../provisioning/state-words.ts'

/** The links of the chain, in its order. */
export const stepKinds = ['push', 'provisioned_user', 'account', 'membership', 'state', 'grant', 'access'] as const

/** One link. `holds` null: told for information, the access does not depend on it. */
export interface Step {
  what: (typeof stepKinds)[number]
  holds: boolean | null
  text: string
  at?: Date
}

/** Why a person has an access, or why not: the chain from the provider's push to the access, in plain words. */
export interface Why extends RoleName {
  access: boolean
  person: { id: AccountId; userName: string }
  through: string[]
  /** What would be so if the pushed groups that are asked about were synced, all of them where none is named. */
  ifSynced: { access: boolean; through: string[] }
  /** The first link that does not hold. */
  broken?: string
  steps: Step[]
}

/**
 * Explains one access of one person. Of several groups that grant it, the one is told of in which the chain gets furthest.
 * @param selected names or ids of pushed groups that are thought of as synced; all where it is not said. Blocked ones cannot be
 * @throws Refusal `not_found` for a role that does not exist
 */
export async function whyAccess(reader: Reader, person: Account, asked: RoleName, selected?: readonly string[]): Promise<Why> {
  const role = await findRole(reader, asked)
  const [users, paths] = await Promise.all([provisionedUsersOf(reader, person.id), pathsTo(reader, person.id, role.id)])
  const [best] = paths
  const through = person.active ? paths.filter((path) => path.effective).map((path) => path.group) : []
  const after = person.active ? paths.filter((path) => wouldBeIn(path, selected)).map((path) => path.group) : []
  const links = [
    pushStep(person, users, best),
    ...users.map((user) => userStep(person, user)),
    accountStep(person),
    membershipStep(person, role, paths, best),
    ...(best ? [stateStep(best), grantStep(role, best)] : [noGrantStep(role)]),
  ]
  const broken = links.find((step) => step.holds === false)
  const access = through.length > 0
  const { site, product, role: name } = role
  const answer = {
    access,
    person: { id: person.id, userName: person.userName },
    site,
    product,
    role: name,
    through,
    ifSynced: { access: after.length > 0, through: after },
  }
  const steps = [...links, accessStep(person, role, through)]
  return broken === undefined || access ? { ...answer, steps } : { ...answer, broken: broken.text, steps }
}

export interface ProvisionedUser {
  directory: string
  userName: string
  active: boolean
  owns: boolean
  at: Date
}

/** Whether somebody would be in a group in force if what is pushed of it were synced, where it is among those that are. */
export function wouldBeIn(
  path: Pick<Path, 'pushed' | 'effective' | 'isPaired' | 'state' | 'pushedName' | 'pushedId'>,
  selected?: readonly string[],
): boolean {
  const isChosen = selected?.some((one) => one === path.pushedId || nameKey(one) === nameKey(path.pushedName ?? '')) ?? true
  const isSyncable = path.isPaired && path.state !== null && path.state !== 'blocked'
  return isChosen && isSyncable ? path.pushed : path.effective
}

export async function provisionedUsersOf(reader: Reader, accountId: AccountId): Promise<ProvisionedUser[]> {
  const { rows } = await sql<ProvisionedUser>`
    select d.name as directory, u.user_name as "userName", u.active, a.owned_by is not distinct from u.directory_id as owns, u.updated_at as at
    from provisioned_users u
    join directories d on d.org_id = u.org_id and d.id = u.directory_id
    join accounts a on a.org_id = u.org_id and a.id = u.account_id
    where u.org_id = ${reader.orgId} and u.account_id = ${accountId}
    order by owns desc, d.name_key`.execute(reader)
  return rows
}

/** A group that grants the role, and how the person stands to it. */
interface Path {
  group: string
  isDefault: boolean
  grantedAt: Date
  pushed: boolean
  effective: boolean
  memberSince: Date | null
  directory: string | null
  pushedId: string | null
  pushedName: string | null
  /** Whether the pushed group and this one are one. */
  isPaired: boolean
  /** The groups within the group by which alone the person is in it, as pushed. */
  between: string[]
  state: GroupState | null
  reasons: GroupReason[]
  pushedAt: Date | null
}

// The nearest to an access first: in force, then pushed and waiting, then by name. A push that could not be paired with the group it
// is named as is told of too: of several, the one by which the person is in it, or would be.
async function pathsTo(reader: Reader, accountId: AccountId, roleId: string): Promise<Path[]> {
  const { rows } = await sql<Path>`
    select g.name as "group", grants.is_default as "isDefault", grants.created_at as "grantedAt",
      coalesce(p.pushed, false) as pushed, coalesce(m.effective, false) as effective, m.since as "memberSince",
      p.directory, p.id as "pushedId", p.name as "pushedName", coalesce(p.is_paired, false) as "isPaired", coalesce(p.between, '{}') as between, p.state, coalesce(p.reasons, '{}') as reasons, p.updated_at as "pushedAt"
    from grants
    join groups g on g.org_id = grants.org_id and g.id = grants.group_id and g.effective
    left join memberships m on m.org_id = g.org_id and m.group_id = g.id and m.account_id = ${accountId}
    left join lateral (
      select d.name as directory, p.id, p.name, own.id = g.id as is_paired, ${between(reader, accountId)} as between, p.state, p.reasons, p.updated_at, coalesce(pm.pushed, false) as pushed
      from provisioned_groups p
      join directories d on d.org_id = p.org_id and d.id = p.directory_id
      join groups own on own.org_id = p.org_id and own.id = p.group_id
      left join memberships pm on pm.org_id = p.org_id and pm.group_id = p.group_id and pm.account_id = ${accountId}
      where p.org_id = g.org_id and (own.id = g.id or (p.name_key = g.name_key and not own.effective))
      order by own.id = g.id and coalesce(m.effective, false) desc, pushed desc, own.id = g.id desc, d.name_key limit 1
    ) p on true
    where grants.org_id = ${reader.orgId} and grants.role_id = ${roleId}
    order by effective desc, pushed desc, g.name_key`.execute(reader)
  return rows
}

// Of a pushed group `p` in a nest (decision 28): the groups it holds, at any depth, in which the provider named the person.
const between = (reader: Reader, accountId: AccountId) => sql`(
  with recursive held(id) as (
    select child_id from nested_groups where org_id = ${reader.orgId} and parent_id = p.id
    union
    select n.child_id from held join nested_groups n on n.org_id = ${reader.orgId} and n.parent_id = held.id
  )
  select array_agg(c.name order by c.name_key)
  from held
  join direct_members m on m.org_id = ${reader.orgId} and m.provisioned_group_id = held.id and m.account_id = ${accountId}
  join provisioned_groups c on c.org_id = ${reader.orgId} and c.id = held.id
  where p.is_nested and not exists (
    select from direct_members
    where org_id = ${reader.orgId} and provisioned_group_id = p.id and account_id = ${accountId})
)`

function pushStep(person: Account, users: ProvisionedUser[], best: Path | undefined): Step {
  if (best?.directory && best.pushed) {
    return {
      what: 'push',
      holds: null,
      text: `${best.directory} pushes ${person.userName} as a member of ${wayInto(best)}.`,
      ...at(best.pushedAt),
    }
  }
  if (best?.directory && best.effective) {
    return {
      what: 'push',
      holds: null,
      text: `${best.directory} pushes ${quoted(best.group)}, without ${person.userName}.`,
      ...at(best.pushedAt),
    }
  }
  const [user] = users
  if (user)
    return {
      what: 'push',
      holds: null,
      text: `${user.directory} pushes ${person.userName}, but into no group that gives this access.`,
      at: user.at,
    }
  return { what: 'push', holds: null, text: `No directory pushes ${person.userName}.` }
}

function wayInto({ group, between }: Path): string {
  if (between.length === 0) return quoted(group)
  return `${between.map(quoted).join(', ')}, which ${between.length === 1 ? 'is' : 'are'} in ${quoted(group)}`
}

export function userStep(person: Account, user: ProvisionedUser): Step {
  const text = `${user.directory} says that ${quoted(user.userName)} is ${user.active ? 'active' : 'not active'}`
  if (!user.owns)
    return {
      what: 'provisioned_user',
      holds: null,
      text: `${text}; its word on ${person.userName} does not count, as it does not own the account.`,
      at: user.at,
    }
  return { what: 'provisioned_user', holds: user.active, text: `${text}.`, at: user.at }
}

export function accountStep({ userName, active, ownedBy, updatedAt }: Account): Step {
  const owner = ownedBy ? `, owned by ${ownedBy.name}` : ''
  return {
    what: 'account',
    holds: active,
    text: active ? `The account ${userName} is active${owner}.` : `The account ${userName} is switched off${owner}.`,
    at: updatedAt,
  }
}

function membershipStep({ userName }: Account, role: RoleName, paths: Path[], best: Path | undefined): Step {
  if (!best)
    return {
      what: 'membership',
      holds: null,
      text: `${userName} can be in no group that gives ${roleText(role)}: there is none.`,
    }
  if (best.effective) {
    const others = paths.filter((path) => path.effective).length - 1
    return {
      what: 'membership',
      holds: true,
      text: `${userName} is a member of ${quoted(best.group)}${others > 0 ? ` and of ${others} more that give it` : ''}.`,
      ...at(best.memberSince),
    }
  }
  if (best.pushed) {
    return {
      what: 'membership',
      holds: false,
      text: `${userName} is pushed into ${quoted(best.group)} by ${best.directory}, but that is not in force: ${stateWords(best)}.`,
      ...at(best.pushedAt),
    }
  }
  const names = paths
    .slice(0, 5)
    .map((path) => quoted(path.group))
    .join(', ')
  return {
    what: 'membership',
    holds: false,
    text: `${userName} is in none of the groups that give it: ${names}${paths.length > 5 ? ` and ${paths.length - 5} more` : ''}.`,
  }
}

function stateStep(best: Path): Step {
  if (best.directory === null) return { what: 'state', holds: null, text: `${quoted(best.group)} is pushed by no directory.` }
  return {
    what: 'state',
    holds: null,
    text: `${quoted(best.group)} is pushed by ${best.directory}: ${stateWords(best)}.`,
    ...at(best.pushedAt),
  }
}

const stateWords = ({ state, reasons }: Path): string => (state === null ? 'nothing is pushed' : groupStateWords(state, reasons))

function grantStep(role: RoleName, best: Path): Step {
  const text = `${quoted(best.group)} is granted ${roleText(role)}${best.isDefault ? ' and is a default access group of it' : ''}.`
  return { what: 'grant', holds: true, text, at: best.grantedAt }
}

const noGrantStep = (role: RoleName): Step => ({ what: 'grant', holds: false, text: `No group is granted ${roleText(role)}.` })

function accessStep({ userName }: Account, role: RoleName, through: string[]): Step {
  if (through.length === 0) return { what: 'access', holds: false, text: `${userName} does not have ${roleText(role)}.` }
  return { what: 'access', holds: true, text: `${userName} has ${roleText(role)} through ${through.map(quoted).join(', ')}.` }
}

export const quoted = (name: string): string => `"${name}"`

export const at = (moment: Date | null): { at?: Date } => (moment === null ? {} : { at: moment })
