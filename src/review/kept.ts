import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, DirectoryId, ProvisionedGroupId } from '../database/ids.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'

/** A member whom the provider does not have, and whom a merge kept. */
export interface KeptMember {
  group: { id: ProvisionedGroupId; name: string }
  person: { id: AccountId; userName: string; displayName: string | null; email: string | null; active: boolean }
  /** Since when the person is a member. */
  since: Date
}

/** Who is kept in the groups of a directory, or in one of them, read through the index of kept members. */
export function listKept(
  reader: Reader,
  of: { directoryId: DirectoryId; group?: ProvisionedGroupId | undefined },
  listing: Listing,
): Promise<Listed<KeptMember>> {
  const org = reader.orgId
  return list(reader, listing, {
    columns: sql`json_build_object('id', p.id, 'name', p.name) as "group",
      json_build_object('id', a.id, 'userName', a.user_name, 'displayName', a.display_name, 'email', a.email, 'active', a.active) as person,
      m.since`,
    from: sql`(select * from provisioned_groups where org_id = ${org} and directory_id = ${of.directoryId}
        and (${of.group ?? null}::uuid is null or id = ${of.group ?? null}) offset 0) p
      cross join lateral (select account_id, since from memberships where org_id = ${org} and group_id = p.group_id and waiting = 'kept' offset 0) m
      cross join lateral (select * from accounts where org_id = ${org} and id = m.account_id offset 0) a
      where ${found(listing, 'p.name_key', 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}`,
    sorts: { group: 'p.name_key', userName: 'a.user_name_key', since: 'm.since' },
    usual: 'group',
    last: 'a.user_name_key, p.id, a.id',
  })
}
