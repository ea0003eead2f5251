import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, ProvisionedGroupId } from '../database/ids.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'

/** A piece of SQL. The pieces here are common table expressions, without `with`, that later ones build on by name. */
export type Sql = RawBuilder<unknown>

/** Membership `m` has a difference: word for word the condition of the index of differences, which then serves. */
export const differs: Sql = sql`m.pushed <> m.effective`

/** The provisioned groups of these ids, whatever their state, as `selected`. */
export const selectedByIds = (reader: Reader, ids: readonly ProvisionedGroupId[]): Sql => sql`
  selected as materialized (
    select p.id, p.group_id, p.directory_id, p.name, p.state from provisioned_groups p
    where p.org_id = ${reader.orgId} and p.id = any(${ids}::uuid[])
  )`

/** The rows of the selected groups whose two truths differ: a member to add (`pushed`) or to remove. Read through the index of differences. */
export const differing = (reader: Reader): Sql => sql`
  differing as materialized (
    select s.id, s.name, m.group_id, m.account_id, m.pushed, a.active
    from selected s
    join memberships m on m.org_id = ${reader.orgId} and m.group_id = s.group_id and ${differs}
    join accounts a on a.org_id = ${reader.orgId} and a.id = m.account_id
  )`

export const memberChanges = ['changes', 'added', 'removed', 'unchanged', 'all'] as const
/** Which members of a review are asked for; `changes`: added and removed. */
type MemberChange = (typeof memberChanges)[number]

export interface ReviewedMember {
  id: AccountId
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
  change: 'added' | 'removed' | 'unchanged'
}

/** Who would be added to a group, removed from it, and who stays: a page of it, searched by user name, e-mail and name. */
export function reviewedMembers(
  reader: Reader,
  id: ProvisionedGroupId,
  change: MemberChange,
  listing: Listing,
): Promise<Listed<ReviewedMember>> {
  return list(reader, listing, {
    columns: sql`a.id, a.user_name as "userName", a.email, a.display_name as "displayName", a.active,
      case when m.pushed and m.effective then 'unchanged' when m.pushed then 'added' else 'removed' end as change`,
    from: sql`provisioned_groups p
      join memberships m on m.org_id = ${reader.orgId} and m.group_id = p.group_id and ${rowsOf[change]}
      join accounts a on a.org_id = ${reader.orgId} and a.id = m.account_id
      where p.org_id = ${reader.orgId} and p.id = ${id} and ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}`,
    sorts: { userName: 'a.user_name_key', change: 'change' },
    usual: 'change',
    last: 'a.user_name_key, a.id',
  })
}

const rowsOf: Record<MemberChange, Sql> = {
  changes: differs,
  added: sql`${differs} and m.pushed`,
  removed: sql`${differs} and not m.pushed`,
  unchanged: sql`m.pushed and m.effective`,
  all: sql`true`,
}
