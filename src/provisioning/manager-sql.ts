import { type RawBuilder, sql } from 'kysely'
import { enterpriseUserUrn } from '../scim/user-schema.ts'

/** Something of the manager `m` of a `provisioned_users u`: null where the directory has pushed no user of that id. */
export const managerSql = (what: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  case when u.attributes ? ${enterpriseUserUrn} then (
    select ${what} from provisioned_users m
    where m.org_id = u.org_id and m.directory_id is not distinct from u.directory_id and m.id = ${managerId}
  ) end`

// What is no id is nobody's: a provider may name its own.
const managerId = sql`(
  select case when given ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then given::uuid end
  from (values (u.attributes #>> ${[enterpriseUserUrn, 'manager', 'value']}::text[])) as manager(given)
)`
