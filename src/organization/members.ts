import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, GroupId } from '../database/ids.ts'
import { found, type Listed, type Listing, list } from './listing.ts'

/** A person who is effectively in a group. */
export interface Member {
  id: AccountId
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
  since: Date
}

/** The effective members of a group, by user name; searched in user name, e-mail and display name. */
export function listMembers(reader: Reader, groupId: GroupId, listing: Listing): Promise<Listed<Member>> {
  return list(reader, listing, {
    columns: sql`a.id, a.user_name as "userName", a.email, a.display_name as "displayName", a.active, m.since`,
    from: sql`memberships m join accounts a on a.org_id = m.org_id and a.id = m.account_id
      where m.org_id = ${reader.orgId} and m.group_id = ${groupId} and m.effective
        and ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}`,
    sorts: {
      name: 'a.user_name_key',
      email: 'a.email_key',
      displayName: 'lower(a.display_name)',
      active: 'a.active',
      since: 'm.since',
    },
    usual: 'name',
    last: 'a.id',
  })
}

/** A group that a person is effectively in. */
export interface MemberGroup {
  id: GroupId
  name: string
  managedBy: string | null
  grantCount: number
  since: Date
}

/** The groups a person is effectively in, by name. */
export function groupsOfPerson(reader: Reader, accountId: AccountId, listing: Listing): Promise<Listed<MemberGroup>> {
  return list(reader, listing, {
    columns: sql`g.id, g.name, d.name as "managedBy", m.since,
      (select count(*)::integer from grants r where r.org_id = g.org_id and r.group_id = g.id) as "grantCount"`,
    from: sql`memberships m join groups g on g.org_id = m.org_id and g.id = m.group_id and g.effective
      left join directories d on d.org_id = g.org_id and d.id = g.managed_by
      where m.org_id = ${reader.orgId} and m.account_id = ${accountId} and m.effective and ${found(listing, 'g.name_key')}`,
    sorts: { name: 'g.name_key', since: 'm.since' },
    usual: 'name',
    last: 'g.id',
  })
}
