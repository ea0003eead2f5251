import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type AccountId, type DirectoryId, isId, type ProvisionedUserId } from '../database/ids.ts'
import type { MatchedBy, UserReason, UserState } from '../database/tables.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'

/**
 * What a pushed user is found to be: `matched` with an account; `new`; `probably_same`: new, and looks like an account that the provider does
 * not have; `doubtful`: new, and only the name is one that somebody has, or found by user name where the e-mails differ. `not_in_provider`:
 * an active account whom the directory does not push.
 */
export const matchKinds = ['matched', 'new', 'probably_same', 'doubtful', 'not_in_provider'] as const
export type MatchKind = (typeof matchKinds)[number]

interface PersonInBrief {
  id: AccountId
  userName: string
  email: string | null
  displayName: string | null
}

export interface ListedMatch {
  match: MatchKind
  /** The provider's side; null of who is not in the provider. */
  user: {
    /** Also their SCIM id. */
    id: ProvisionedUserId
    userName: string
    active: boolean
    state: UserState
    reasons: UserReason[]
    matchedBy: MatchedBy
  } | null
  /** The account; of a new person of a directory that observes, the one that is foreseen. */
  person: PersonInBrief
  /** Who may be the same. */
  alike: PersonInBrief | null
  /** What going live does to the account, where the directory observes. */
  switches: 'on' | 'off' | null
}

/** How many people are what. `switchedOff`, `switchedOn`: by going live. */
export interface MatchCounts {
  pushed: number
  matched: { total: number; byEmail: number; byUserName: number; byPerson: number }
  new: number
  probablySame: number
  doubtful: number
  notInProvider: number
  managedElsewhere: number
  protected: number
  switchedOff: number
  switchedOn: number
}

const brief = (alias: string) =>
  sql.raw(
    `json_build_object('id', ${alias}.id, 'userName', ${alias}.user_name, 'email', ${alias}.email, 'displayName', ${alias}.display_name)`,
  )

/** Pushed users `u` with their accounts `a`, who may be the same `c`, and what they are (`k.match`, `k.switches`); as what stands after `from`. */
const matchedUsers = (reader: Reader, directoryId: DirectoryId): RawBuilder<unknown> => sql`
  provisioned_users u
  cross join lateral (select * from accounts where org_id = ${reader.orgId} and id = u.account_id offset 0) a
  cross join lateral (select split_part(coalesce(u.email_key, u.user_name_key), '@', 1) as local_key offset 0) named
  left join lateral (
    select c.*, c.is_local or c.shares as is_probable
    from (
      select x.id, x.user_name, x.email, x.display_name, x.is_local,
        not x.is_local and exists (
          select from (select group_id from memberships where org_id = ${reader.orgId} and account_id = a.id and pushed offset 0) m
          cross join lateral (
            select from memberships where org_id = ${reader.orgId} and group_id = m.group_id and account_id = x.id and effective offset 0
          ) shared
        ) as shares
      from (
        (select id, user_name, email, display_name, observed_by, true as is_local from accounts
          where org_id = ${reader.orgId} and local_key = named.local_key limit ${atMost})
        union all
        (select id, user_name, email, display_name, observed_by, false from accounts
          where org_id = ${reader.orgId} and shown_key = a.shown_key limit ${atMost})
      ) x
      where u.matched_by = 'created' and x.id <> a.id and x.observed_by is null and (
        select 1 from provisioned_users v where v.org_id = ${reader.orgId} and v.directory_id = ${directoryId} and v.account_id = x.id limit 1
      ) is null
    ) c order by c.is_local or c.shares desc, c.id limit 1
  ) c on true
  cross join lateral (
    select case
        when c.is_probable then 'probably_same'
        when c.id is not null or u.matched_by = 'user_name' and u.email_key is not null and a.email_key is not null and u.email_key <> a.email_key
          then 'doubtful'
        when u.matched_by = 'created' then 'new'
        else 'matched' end as match,
      case when u.state = 'ready' and a.observed_by is null and a.owned_by is null and not a.is_protected and u.active <> a.active
        then case when u.active then 'on' else 'off' end end as switches
  ) k
  where u.org_id = ${reader.orgId} and u.directory_id = ${directoryId}`

// Of people with one name only so many are looked at: in an organization of ten thousand «Support» none of them says anything.
const atMost = sql.lit(20)

const notPushed = (reader: Reader, directoryId: DirectoryId): RawBuilder<unknown> => sql`
  accounts a where a.org_id = ${reader.orgId} and a.observed_by is null and a.active and not exists (
    select from provisioned_users v where v.org_id = ${reader.orgId} and v.directory_id = ${directoryId} and v.account_id = a.id)`

/** Who the people of a directory are here, sorted by userName or match. @throws Refusal `invalid_value` for another sort */
export function listMatches(
  reader: Reader,
  directoryId: DirectoryId,
  listing: Listing & { match?: MatchKind | undefined },
): Promise<Listed<ListedMatch>> {
  if (listing.match === 'not_in_provider')
    return list(reader, listing, {
      columns: sql`'not_in_provider' as match, null as user, ${brief('a')} as person, null as alike, null as switches`,
      from: sql`${notPushed(reader, directoryId)} and ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}`,
      sorts: { userName: 'a.user_name_key', match: 'match' },
      usual: 'userName',
      last: 'a.id',
    })
  return list(reader, listing, {
    columns: matchColumns,
    from: sql`${matchedUsers(reader, directoryId)} and ${found(listing, 'u.user_name_key', 'u.email_key', 'a.user_name_key')}
      and (${listing.match ?? null}::text is null or k.match = ${listing.match ?? null})`,
    sorts: { userName: 'u.user_name_key', match: 'k.match' },
    usual: 'userName',
    last: 'u.id',
  })
}

const matchColumns = sql`k.match, k.switches, ${brief('a')} as person, case when c.id is not null then ${brief('c')} end as alike,
  json_build_object('id', u.id, 'userName', u.user_name, 'active', u.active, 'state', u.state, 'reasons', u.reasons,
    'matchedBy', u.matched_by) as user`

/** One of them, by SCIM id or user name. @throws Refusal `not_found`, the same for a user of another directory */
export async function findMatch(
  reader: Reader,
  directoryId: DirectoryId,
  idOrName: string,
): Promise<{ id: ProvisionedUserId; listed: ListedMatch }> {
  const { rows } = await sql<ListedMatch & { id: ProvisionedUserId }>`
    select u.id, ${matchColumns} from ${matchedUsers(reader, directoryId)}
      and (u.id = ${isId(idOrName) ? idOrName : null}::uuid or u.user_name_key = ${nameKey(idOrName)})
    order by u.id = ${isId(idOrName) ? idOrName : null}::uuid desc nulls last limit 1`.execute(reader)
  const [row] = rows
  if (row === undefined) throw new Refusal('not_found', 'There is no such user in this directory.')
  const { id, ...listed } = row
  return { id, listed }
}

/** How many they are. */
export async function matchCounts(reader: Reader, directoryId: DirectoryId): Promise<MatchCounts> {
  const { rows } = await sql<MatchCounts>`
    select count(*)::integer as pushed,
      json_build_object('total', count(*) filter (where u.matched_by <> 'created'), 'byEmail', count(*) filter (where u.matched_by = 'email'),
        'byUserName', count(*) filter (where u.matched_by = 'user_name'), 'byPerson', count(*) filter (where u.matched_by = 'person')) as matched,
      (count(*) filter (where u.matched_by = 'created'))::integer as "new",
      (count(*) filter (where k.match = 'probably_same'))::integer as "probablySame",
      (count(*) filter (where k.match = 'doubtful'))::integer as doubtful,
      (select count(*) from ${notPushed(reader, directoryId)})::integer as "notInProvider",
      (count(*) filter (where 'managed_elsewhere' = any(u.reasons)))::integer as "managedElsewhere",
      (count(*) filter (where 'protected' = any(u.reasons)))::integer as protected,
      (count(*) filter (where k.switches = 'off'))::integer as "switchedOff",
      (count(*) filter (where k.switches = 'on'))::integer as "switchedOn"
    from ${matchedUsers(reader, directoryId)}`.execute(reader)
  return rows[0] as MatchCounts
}
