import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'

/**
 * Of a row `h` of held_acts: there is still something to do. Nothing is of somebody who is off by now, nor of a group that is deleted, or that
 * a pushed group is paired with again.
 */
export const stillWaits = (reader: Reader): RawBuilder<boolean> => sql`
  case when h.account_id is not null
    then (select active from accounts a where a.org_id = ${reader.orgId} and a.id = h.account_id)
    else (select effective from groups o where o.org_id = ${reader.orgId} and o.id = h.group_id)
      and not exists (select from provisioned_groups p where p.org_id = ${reader.orgId} and p.group_id = h.group_id) end`
