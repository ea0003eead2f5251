import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId } from '../database/ids.ts'
import type { DirectoryContext } from './directories.ts'

/** A group of the organization that a directory is offered to link to. */
export interface Offer {
  groupId: GroupId
  name: string
  nameKey: string
}

type Offered = Pick<DirectoryContext, 'id' | 'offerExistingGroups'>

/**
 * The groups that a directory is offered, as rows `g` like those of its pushed groups (read.ts): unmanaged, unprotected, of no
 * name that it has pushed, linked to none of its groups, and not deleted by it. Undefined where it is offered none.
 */
export function offeredGroups(reader: Reader, { id, offerExistingGroups }: Offered): RawBuilder<unknown> | undefined {
  if (offerExistingGroups === 'off') return undefined
  return sql`(
    select o.org_id, ${offeredId(id)} as id, o.id as place, ${id}::uuid as directory_id, o.id as group_id, null::text as external_id,
      o.name, o.name_key, 'offered'::text as state, '{}'::text[] as reasons, null::integer as version,
      o.created_at, o.updated_at, ${offerExistingGroups === 'members' ? sql`'effective'` : sql`'hidden'`}::text as shown
    from groups o
    left join taken_offers t on t.org_id = o.org_id and t.directory_id = ${id} and t.group_id = o.id
    where o.org_id = ${reader.orgId} and o.effective and o.managed_by is null and not o.is_protected and t.declined is not true and not exists (
      select from provisioned_groups p where p.org_id = o.org_id and p.directory_id = ${id} and p.name_key = o.name_key)
      and not exists (select from provisioned_groups p where p.org_id = o.org_id and p.directory_id = ${id} and p.group_id = o.id)
  ) as g`
}

// All but the last 40 bits are the group's own, so that an id leads to its group by index, and groups stand in their order. The others
// are the directory's, and change once the offer was taken: what was made of it has that id, and may have been deleted.
const offeredId = (id: DirectoryId) =>
  sql`(left(o.id::text, 26) || left(encode(sha256((o.id || ${id}::text || coalesce(t.times, 0))::bytea), 'hex'), 10))::uuid`

/** That a row `g` of pushed or offered groups has an id. `place` is the id of a pushed group, and its group's of an offered one. */
export function hasId(id: string): RawBuilder<boolean> {
  return sql<boolean>`(g.id = ${id}::uuid and g.place between ${edgeOf(id, 'start')}::uuid and ${edgeOf(id, 'end')}::uuid)`
}

/** Where the places begin and end that a group may have, offered or adopted. No two groups have their first 88 bits in common. */
export const edgeOf = (place: string, edge: 'start' | 'end'): string =>
  place.slice(0, 26) + (edge === 'start' ? '0' : 'f').repeat(10)

/** What a directory is offered under an id, if it is. */
export async function offerOf(reader: Reader, directory: Offered, id: string): Promise<Offer | undefined> {
  const offered = isId(id) ? offeredGroups(reader, directory) : undefined
  if (offered === undefined) return undefined
  const { rows } = await sql<Offer>`
    select g.group_id as "groupId", g.name, g.name_key as "nameKey" from ${offered} where ${hasId(id)}`.execute(reader)
  return rows[0]
}

/** Takes an offer: the id it was made under is the taker's. Where the group is offered again it is under another one. */
export async function takeOffer(trx: Trx, directoryId: DirectoryId, groupId: GroupId): Promise<void> {
  await sql`
    insert into taken_offers (org_id, directory_id, group_id) values (${trx.orgId}, ${directoryId}, ${groupId})
    on conflict (org_id, directory_id, group_id) do update set times = taken_offers.times + 1`.execute(trx)
}

/**
 * The directory has deleted a group, or one of this name: what there is of it is no longer offered, so that what was deleted is in no
 * answer any more (RFC 7644 §3.6). A push of the name finds it still.
 */
export async function declineOffers(
  trx: Trx,
  directoryId: DirectoryId,
  of: { groupId: GroupId; nameKey: string },
): Promise<void> {
  await sql`
    insert into taken_offers (org_id, directory_id, group_id, declined)
    select org_id, ${directoryId}::uuid, id, true from groups
    where org_id = ${trx.orgId} and effective and (id = ${of.groupId} or name_key = ${of.nameKey})
    on conflict (org_id, directory_id, group_id) do update set times = taken_offers.times + 1, declined = true`.execute(trx)
}
