import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { DirectoryId, ProvisionedGroupId, RoleId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import { accessEffects } from './access-effects.ts'
import type { Proposed, Sql } from './differences.ts'
import { fingerprints } from './fingerprint.ts'
import { alone, becomesEmpty, consequences, isFilling, passesGuard } from './warnings.ts'

/** What a group is found, sorted and counted by: read from counts that the writer keeps, one narrow row a group, however many members. */
export interface ReviewHeading {
  id: ProvisionedGroupId
  name: string
  nameKey: string
  state: GroupState
  reasons: GroupReason[]
  pushedAt: Date
  viewedFingerprint: string | null
  isFilling: boolean
  added: number
  removed: number
  unchanged: number
  passesGuard: boolean
  isEmpty: boolean
}

/** What one group alone would do. `lostRoles`: each role that somebody would lose. */
export interface ReviewEffect {
  id: ProvisionedGroupId
  lost: number
  gained: number
  peopleLosing: number
  peopleGaining: number
  leftWithNone: number
  lastAdmin: number
  seatsExceeded: number
  unknownMembers: number
  lookAlikes: number
  inactive: number
  lostRoles: RoleId[]
  fingerprint: string
}

/** The headings of a directory's groups in these states, or of these groups. */
export async function reviewHeadings(
  reader: Reader,
  of: { directoryId: DirectoryId; states: readonly GroupState[] } | { ids: readonly ProvisionedGroupId[] },
): Promise<ReviewHeading[]> {
  const which =
    'ids' in of
      ? sql`p.id = any(${of.ids}::uuid[])`
      : sql`p.directory_id = ${of.directoryId} and p.state = any(${of.states}::text[])`
  const { rows } = await sql<ReviewHeading>`
    select p.id, p.name, p.name_key as "nameKey", p.state, p.reasons, coalesce(p.members_written_at, p.updated_at) as "pushedAt",
      p.viewed_fingerprint as "viewedFingerprint", ${isFilling} as "isFilling",
      o.add_count as added, o.remove_count as removed, o.member_count - o.remove_count as unchanged,
      ${passesGuard} as "passesGuard", ${becomesEmpty} as "isEmpty"
    from provisioned_groups p
    cross join lateral (
      select quiet_seconds, guard_members_percent, guard_members_over from directories where org_id = ${reader.orgId} and id = p.directory_id offset 0
    ) d
    cross join lateral (select * from groups where org_id = ${reader.orgId} and id = p.group_id offset 0) o
    where p.org_id = ${reader.orgId} and ${which}`.execute(reader)
  return rows
}

/** Everything that each unit of what is proposed does alone, as SQL: `by_group`, with `effects`, `alone` and what they are made of. */
export const aloneByGroup = (reader: Reader, proposed: Proposed): Sql => sql`
  ${accessEffects(reader, proposed)},
  ${consequences(reader, alone)},
  ${fingerprints(reader)}`

/** The effect of each unit of what is proposed alone, in one statement. */
export function reviewEffects(reader: Reader, proposed: Proposed): Promise<ReviewEffect[]> {
  return inHashes(
    reader,
    sql<ReviewEffect>`
    with ${aloneByGroup(reader, proposed)}
    select id, lost, gained, people_losing as "peopleLosing", people_gaining as "peopleGaining", left_with_none as "leftWithNone",
      last_admin as "lastAdmin", seats_exceeded as "seatsExceeded", unknown_members as "unknownMembers", look_alikes as "lookAlikes", inactive,
      lost_roles as "lostRoles", fingerprint
    from by_group`,
  )
}
