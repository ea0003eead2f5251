import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { DirectoryId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import { isRestorable } from '../organization/deleted-groups.ts'
import { nameKey } from '../organization/name-key.ts'
import type { ProvisionedGroup } from './groups.ts'
import { isOf } from './key-sql.ts'

/** The group of the organization that has a pushed name, with what stands in the way of the push. */
export interface ExistingGroup {
  id: GroupId
  name: string
  managedBy: DirectoryId | null
  isProtected: boolean
  isDefaultAccess: boolean
  /** The pushed group it is paired with already. */
  pairedWith: ProvisionedGroupId | null
  /** Deleted, and still restorable: it has the name no more, and what it had is offered to who pushes it. */
  isDeleted: boolean
}

/** Finds who has a name, and locks that group: two directories that push one name must not both be paired with it. */
export const existingGroupNamed = (trx: Trx, key: string): Promise<ExistingGroup | undefined> =>
  lockedWhere(trx, sql`g.name_key = ${key} and g.effective`)

/** A group of the organization that is in force, locked likewise. */
export const existingGroup = (trx: Trx, id: GroupId): Promise<ExistingGroup | undefined> =>
  lockedWhere(trx, sql`g.id = ${id} and g.effective`)

/** Whom a pushed name meets, likewise: the group that has it, else the one of that name that was deleted last and can be restored. */
export const metByName = (trx: Trx, key: string): Promise<ExistingGroup | undefined> =>
  lockedWhere(trx, sql`g.name_key = ${key} and (g.effective or ${isRestorable})`)

/** Which of these names, by their places, are new beyond doubt: no name before is the same, nobody in the organization has it, and the directory pushed none. */
export async function newNames(reader: Reader, directoryId: DirectoryId, names: readonly string[]): Promise<Set<number>> {
  // `offset 0` keeps look-ups look-ups.
  const { rows } = await sql<{ place: number }>`
    select min(place)::integer - 1 as place
    from unnest(${names.map(nameKey)}::text[]) with ordinality as given(key, place)
    where not exists (select from groups where org_id = ${reader.orgId} and name_key = given.key and (effective or ${isRestorable}) offset 0)
      and not exists (select from provisioned_groups where org_id = ${reader.orgId} and name_key = given.key and ${isOf(directoryId)} offset 0)
    group by key`.execute(reader)
  return new Set(rows.map(({ place }) => place))
}

async function lockedWhere(trx: Trx, which: RawBuilder<unknown>): Promise<ExistingGroup | undefined> {
  const named = sql`groups as g where g.org_id = ${trx.orgId} and ${which}`
  // Sent together, one after the other: what is read of grants and pairing must not be older than the lock.
  const locked = sql`select from ${named} order by g.id for no key update`.execute(trx)
  const read = sql<ExistingGroup>`
    select ${existingColumns} from ${named} order by g.effective desc, g.deleted_at desc, g.id desc limit 1`.execute(trx)
  const [, { rows }] = await Promise.all([locked, read])
  return rows[0]
}

/** What is read of an existing group `g`. */
export const existingColumns = sql`
  g.id, g.name, g.managed_by as "managedBy", g.is_protected as "isProtected",
  exists (select from grants where grants.org_id = g.org_id and grants.group_id = g.id and is_default) as "isDefaultAccess",
  (select p.id from provisioned_groups as p where p.org_id = g.org_id and p.group_id = g.id) as "pairedWith", g.deleted_at is not null as "isDeleted"`

export interface Verdict {
  /** `free`: a group of its own that is in force; `existing`: shares the existing group's rows; `apart`: a group of its own that is not. */
  pairing: 'free' | 'existing' | 'apart'
  state: GroupState
  reasons: GroupReason[]
}

/**
 * What becomes of a pushed group that meets an existing one, by its name or because it is linked to it (behaviour.md, «A group is pushed»,
 * 1, 3 and 4). A blocked group has every reason that holds. One that meets a deleted group is paired with it: the review shows what its
 * grants would give to whom, and a sync brings it back. Of a directory that observes a free name is ready, and nobody has it.
 */
export function judge(
  existing: ExistingGroup | undefined,
  pushed: Pick<ProvisionedGroup, 'id' | 'isLinked'> | null,
  isObserved = false,
): Verdict {
  if (!existing && isObserved) return { pairing: 'apart', state: 'ready', reasons: [] }
  if (!existing) return { pairing: 'free', state: 'synced', reasons: [] }
  const isElsewhere = existing.managedBy !== null || (existing.pairedWith !== null && existing.pairedWith !== pushed?.id)
  const blocked: GroupReason[] = []
  if (existing.isDefaultAccess) blocked.push('default_access_group')
  if (isElsewhere) blocked.push('managed_elsewhere')
  if (existing.isProtected) blocked.push('protected')
  if (blocked.length > 0) return { pairing: isElsewhere ? 'apart' : 'existing', state: 'blocked', reasons: blocked }
  const reason = existing.isDeleted ? 'deleted_before' : pushed?.isLinked ? 'linked' : 'name_taken'
  return { pairing: 'existing', state: 'needs_review', reasons: [reason] }
}
