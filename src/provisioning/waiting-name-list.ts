import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { DirectoryId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'
import { type ExistingGroup, existingColumns } from './conflict.ts'
import { freeNames } from './free-names.ts'
import { whyNotLinkTo } from './linking.ts'
import { whyNotRename } from './waiting-names.ts'

/** A new name of a synced group that another group has, and what may be done about it. */
export interface WaitingName {
  /** The pushed group, with the name that waits. */
  group: { id: ProvisionedGroupId; name: string }
  /** Its group, with the name that it keeps meanwhile. */
  existing: { id: GroupId; name: string; memberCount: number }
  /** The group that has the name. `freeName`: one that it could take. */
  takenBy: { id: GroupId; name: string; memberCount: number; managedBy: string | null; freeName: string | null }
  can: NameChoice[]
  cannot: { what: NameChoice; why: string }[]
}

export const nameChoices = ['rename_existing', 'keep', 'link'] as const
export type NameChoice = (typeof nameChoices)[number]

/** That the name of a pushed group `p` waits. */
export const nameWaits = sql`(p.state in ('synced', 'held') and 'name_taken' = any(p.reasons))`

/** The names of a directory that wait, searched by the new name and the kept one. */
export async function listWaitingNames(reader: Reader, directoryId: DirectoryId, listing: Listing): Promise<Listed<WaitingName>> {
  type Row = Pick<WaitingName, 'group' | 'existing'> & {
    takenBy: Omit<WaitingName['takenBy'], 'freeName'>
    standing: ExistingGroup
  }
  const { total, items } = await list<Row>(reader, listing, {
    columns: sql`json_build_object('id', p.id, 'name', p.name) as "group",
      json_build_object('id', o.id, 'name', o.name, 'memberCount', o.member_count) as existing,
      json_build_object('id', g.id, 'name', g.name, 'memberCount', g.member_count, 'managedBy', m.name) as "takenBy",
      (select to_json(x) from (select ${existingColumns}) as x) as standing`,
    from: sql`provisioned_groups p
      join groups o on o.org_id = ${reader.orgId} and o.id = p.group_id
      join groups g on g.org_id = ${reader.orgId} and g.name_key = p.name_key and g.effective
      left join directories m on m.org_id = ${reader.orgId} and m.id = g.managed_by
      where p.org_id = ${reader.orgId} and p.directory_id = ${directoryId} and ${nameWaits}
        and ${found(listing, 'p.name_key', 'o.name_key')}`,
    sorts: { name: 'p.name_key', existing: 'o.name_key', members: 'g.member_count' },
    usual: 'name',
    last: 'p.id',
  })
  const free = await freeNames(
    reader,
    items.map(({ takenBy }) => takenBy.name),
  )
  return {
    total,
    items: items.map(({ group, existing, takenBy, standing }) => ({
      group,
      existing,
      takenBy: { ...takenBy, freeName: free.get(takenBy.name) ?? null },
      ...permitted(standing),
    })),
  }
}

function permitted(standing: ExistingGroup): Pick<WaitingName, 'can' | 'cannot'> {
  const refusals = { rename_existing: whyNotRename(standing), keep: undefined, link: whyNotLinkTo(standing) }
  return {
    can: nameChoices.filter((what) => refusals[what] === undefined),
    cannot: nameChoices.flatMap((what) => {
      const refusal = refusals[what]
      return refusal ? [{ what, why: refusal.message }] : []
    }),
  }
}
