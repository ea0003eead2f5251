import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, DirectoryId, GroupId, ProvisionedGroupId, ProvisionedUserId } from '../database/ids.ts'
import type { GroupReason, GroupState, MatchedBy, UserReason, UserState } from '../database/tables.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'

/** A pushed group as a list shows it. */
export interface ListedProvisionedGroup {
  /** Also its SCIM id. */
  id: ProvisionedGroupId
  name: string
  externalId: string | null
  state: GroupState
  reasons: GroupReason[]
  /** The group of the organization that it is paired with; null where it is apart from all of them. */
  group: { id: GroupId; name: string } | null
  /** How many members the provider says it has, unknown ones left out. */
  memberCount: number
  unknownMembersCount: number
  createdAt: Date
  updatedAt: Date
}

/** A pushed user as a list shows it. */
export interface ListedProvisionedUser {
  /** Also their SCIM id. */
  id: ProvisionedUserId
  userName: string
  externalId: string | null
  active: boolean
  state: UserState
  reasons: UserReason[]
  person: { id: AccountId; userName: string; email: string | null }
  matchedBy: MatchedBy
  createdAt: Date
  updatedAt: Date
}

/** What a directory pushed as groups, sorted by name, state, memberCount or updatedAt. @throws Refusal `invalid_value` for another sort */
export function listProvisionedGroups(
  reader: Reader,
  directory: DirectoryId,
  listing: Listing & { state?: GroupState | undefined },
): Promise<Listed<ListedProvisionedGroup>> {
  const pushed = 'g.member_count + g.add_count - g.remove_count'
  return list(reader, listing, {
    columns: sql`p.id, p.name, p.external_id as "externalId", p.state, p.reasons,
      case when g.effective then jsonb_build_object('id', g.id, 'name', g.name) end as "group", ${sql.raw(pushed)} as "memberCount",
      (select count(*)::int from unknown_members u where u.org_id = p.org_id and u.provisioned_group_id = p.id) as "unknownMembersCount",
      p.created_at as "createdAt", p.updated_at as "updatedAt"`,
    from: sql`provisioned_groups p join groups g on g.org_id = p.org_id and g.id = p.group_id
      where p.org_id = ${reader.orgId} and p.directory_id = ${directory} and ${found(listing, 'p.name_key')}
        and (${listing.state ?? null}::text is null or p.state = ${listing.state ?? null})`,
    sorts: { name: 'p.name_key', state: 'p.state', memberCount: pushed, updatedAt: 'p.updated_at' },
    usual: 'name',
    last: 'p.id',
  })
}

/** What a directory pushed as users, sorted by userName, state or updatedAt. @throws Refusal `invalid_value` for another sort */
export function listProvisionedUsers(
  reader: Reader,
  directory: DirectoryId,
  listing: Listing & { state?: UserState | undefined },
): Promise<Listed<ListedProvisionedUser>> {
  return list(reader, listing, {
    columns: sql`p.id, p.user_name as "userName", p.external_id as "externalId", p.active, p.state, p.reasons,
      jsonb_build_object('id', a.id, 'userName', a.user_name, 'email', a.email) as person, p.matched_by as "matchedBy",
      p.created_at as "createdAt", p.updated_at as "updatedAt"`,
    from: sql`provisioned_users p join accounts a on a.org_id = p.org_id and a.id = p.account_id
      where p.org_id = ${reader.orgId} and p.directory_id = ${directory} and ${found(listing, 'p.user_name_key', 'p.email_key')}
        and (${listing.state ?? null}::text is null or p.state = ${listing.state ?? null})`,
    sorts: { userName: 'p.user_name_key', state: 'p.state', updatedAt: 'p.updated_at' },
    usual: 'userName',
    last: 'p.id',
  })
}
