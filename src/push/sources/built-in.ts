import { sql } from 'kysely'
import type { Reader } from '../../database/connection.ts'
import type { Source, SourceUser } from '../source.ts'

/** Reads people and groups that are in force in the organization itself. */
export async function readBuiltIn(reader: Reader): Promise<Source> {
  const [users, groups] = await Promise.all([
    sql<SourceUser>`
      select id, user_name as "userName", email, display_name as "displayName", active
      from accounts where org_id = ${reader.orgId} order by id`.execute(reader),
    sql<{ id: string; name: string; description: string | null; members: string[] }>`
      select g.id, g.name, g.description, coalesce(array_agg(m.account_id::text) filter (where m.account_id is not null), '{}') as members
      from groups g left join memberships m on m.org_id = g.org_id and m.group_id = g.id and m.effective
      where g.org_id = ${reader.orgId} and g.effective and g.deleted_at is null group by g.org_id, g.id order by g.id`.execute(
      reader,
    ),
  ])
  return { users: users.rows, groups: groups.rows }
}
