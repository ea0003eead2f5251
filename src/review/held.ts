import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type AccountId, type DirectoryId, isId, type ProvisionedGroupId } from '../database/ids.ts'
import { type HeldAct, type HeldReason, heldActs, heldReasons } from '../database/tables.ts'
import { accountIdsOf } from '../organization/accounts.ts'
import { stillWaits } from '../organization/held-sql.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Proposed, Sql } from './differences.ts'
import { reviewEffects } from './summaries.ts'

/** What waits: members of a group, somebody's being switched off, or a group's being deleted. */
export const heldKinds = ['members', ...heldActs] as const

/** Something that waits, to be allowed or rejected. `id`: of members the pushed group's, its SCIM id; else one of its own. */
export interface Held {
  id: string
  kind: 'members' | HeldAct
  /** Of the group, or the user name. */
  name: string
  reasons: HeldReason[]
  /** Since when the first of it waits. */
  since: Date
  rejected: boolean
  /** How many memberships would end, and come, were it allowed. */
  members: { added: number; removed: number }
  /** What it would do alone. */
  access: { lost: number; gained: number }
  fingerprint: string
}

/** Which of what waits is meant: these (by id or name), or all but these; of members these people alone, or all. */
export interface HeldSelection {
  ids?: readonly string[] | undefined
  except?: readonly string[] | undefined
  people?: readonly string[] | undefined
}

/** A unit of what waits, with the people whom it is about, where not all. */
export interface HeldUnit {
  id: string
  name: string
  people: readonly AccountId[] | null
}

type Row = Pick<Held, 'id' | 'kind' | 'name' | 'reasons' | 'since' | 'rejected'>

/** What waits in a directory, or what was rejected of it; sorted by since or name. */
export async function listHeld(
  reader: Reader,
  directoryId: DirectoryId,
  { rejected, kind }: { rejected: boolean; kind?: Held['kind'] | undefined },
  listing: Listing,
): Promise<Listed<Held>> {
  const { total, items } = await list<Row>(reader, listing, {
    columns: sql`id, kind, name, reasons, since, rejected`,
    from: sql`${waiting(reader, directoryId)} where rejected = ${rejected} and (${kind ?? null}::text is null or kind = ${kind ?? null}) and ${found(listing, 'name_key')}`,
    sorts: { since: 'since', name: 'name_key', kind: 'kind' },
    usual: 'since',
    last: 'name_key, id',
  })
  const effects = await reviewEffects(
    reader,
    heldOf(
      reader,
      items.map((item) => ({ ...item, people: null })),
    ),
  )
  const effectOf = new Map(effects.map((effect) => [effect.id as string, effect]))
  const counts = await memberCounts(reader, items)
  return {
    total,
    items: items.map((item) => {
      const { lost = 0, gained = 0, fingerprint = '' } = effectOf.get(item.id) ?? {}
      return { ...item, members: counts.get(item.id) ?? { added: 0, removed: 0 }, access: { lost, gained }, fingerprint }
    }),
  }
}

/** What is meant of what waits in a directory. What was rejected is meant only where it is named. @throws Refusal `not_found`, `nothing_waits` */
export async function heldUnits(reader: Reader, directoryId: DirectoryId, selection: HeldSelection): Promise<HeldUnit[]> {
  const { ids, except = [], people } = selection
  const isMeant = (asked: readonly string[]) =>
    sql`(id = any(${asked.filter(isId)}::uuid[]) or name_key = any(${asked.map(nameKey)}::text[]))`
  const { rows } = await sql<{ id: string; name: string; nameKey: string; kind: Held['kind'] }>`
    select id, name, name_key as "nameKey", kind from ${waiting(reader, directoryId)}
    where ${ids === undefined ? sql`not rejected` : isMeant(ids)} and not ${isMeant(except)} order by since, name_key, id`.execute(
    reader,
  )
  const known = new Set(rows.flatMap((row) => [row.id, row.nameKey]))
  const missing = (ids ?? []).filter((asked) => !known.has(asked.toLowerCase()) && !known.has(nameKey(asked)))
  if (missing.length > 0)
    throw new Refusal('not_found', `Nothing of "${missing[0]}" waits in this directory. List what waits to see its names.`, {
      missing: missing.slice(0, 10),
    })
  const accounts = people === undefined ? null : await accountIdsOf(reader, people)
  const units =
    accounts === null
      ? await eachOnce(reader, rows)
      : rows.filter(({ kind }) => kind === 'members').map(({ id, name }) => ({ id, name, people: accounts }))
  if (units.length === 0) throw new Refusal('nothing_to_sync', 'Nothing waits: there is nothing to allow or reject.')
  return units
}

/**
 * As units of which none is about what another one does: who is meant as a person is not meant as a member too. Else the first of both that
 * is done would make the other one's answer another than was shown.
 */
async function eachOnce(reader: Reader, rows: readonly Pick<Held, 'id' | 'kind' | 'name'>[]): Promise<HeldUnit[]> {
  const idsOf = (isMeant: (kind: Held['kind']) => boolean) => rows.filter(({ kind }) => isMeant(kind)).map(({ id }) => id)
  const others = await sql<{ id: string; people: AccountId[] }>`
    with persons as materialized (
      select h.account_id from unnest(${idsOf((kind) => kind !== 'members')}::uuid[]) as given(id)
      cross join lateral (select account_id from held_acts where org_id = ${reader.orgId} and id = given.id offset 0) h
      where h.account_id is not null
    )
    select given.id, coalesce(array_agg(m.account_id) filter (where not m.is_meant), '{}') as people
    from unnest(${idsOf((kind) => kind === 'members')}::uuid[]) as given(id)
    cross join lateral (select group_id from provisioned_groups where org_id = ${reader.orgId} and id = given.id offset 0) p
    cross join lateral (
      select account_id, account_id in (select account_id from persons) as is_meant from memberships
      where org_id = ${reader.orgId} and group_id = p.group_id and waiting = 'held' and pushed <> effective offset 0
    ) m
    group by given.id having bool_or(m.is_meant)`.execute(reader)
  const peopleOf = new Map(others.rows.map(({ id, people }) => [id, people]))
  return rows
    .map(({ id, name }) => ({ id, name, people: peopleOf.get(id) ?? null }))
    .filter(({ people }) => people === null || people.length > 0)
}

/** What would be so, were this allowed: members whose truths differ and wait, who is switched off out of everything, groups out of force. */
export function heldOf(reader: Reader, units: readonly HeldUnit[]): Proposed {
  const org = reader.orgId
  const people = units.map((unit) => (unit.people === null ? null : JSON.stringify(unit.people)))
  return {
    selected: sql`
    asked as materialized (
      select given.id, case when people is not null then (select array_agg(value::uuid) from jsonb_array_elements_text(people::jsonb)) end as people
      from unnest(${units.map(({ id }) => id)}::uuid[], ${people}::text[]) as given(id, people)
    ),
    acts as materialized (
      select h.* from asked cross join lateral (select * from held_acts where org_id = ${org} and id = asked.id offset 0) h
    ),
    selected as materialized (
      select p.id, p.group_id, p.name, concat_ws('|', 'held', p.group_id, p.state, array_to_string(p.reasons, ',')) as standing,
        o.member_count, false as is_filling, asked.people
      from asked
      cross join lateral (select * from provisioned_groups where org_id = ${org} and id = asked.id offset 0) p
      cross join lateral (select member_count from groups where org_id = ${org} and id = p.group_id offset 0) o
      union all
      select id, group_id, name, concat_ws('|', 'held', act, account_id, group_id), 0, false, null from acts
    )`,
    changing: sql`
    changing as (
      select s.id, s.group_id, m.account_id, m.pushed as gives
      from selected s
      cross join lateral (
        select account_id, pushed from memberships
        where org_id = ${org} and group_id = s.group_id and waiting = 'held' and pushed <> effective offset 0
      ) m
      where not exists (select from acts where acts.id = s.id) and (s.people is null or m.account_id = any(s.people))
      union all
      select a.id, m.group_id, m.account_id, false
      from acts a
      cross join lateral (
        select group_id, account_id from memberships where org_id = ${org} and account_id = a.account_id and effective offset 0
      ) m
      union all
      select a.id, a.group_id, m.account_id, false
      from acts a
      cross join lateral (select account_id from memberships where org_id = ${org} and group_id = a.group_id and effective offset 0) m
    )`,
  }
}

// All that waits, or was rejected, in a directory.
const waiting = (reader: Reader, directoryId: DirectoryId): Sql => {
  const org = reader.orgId
  const reasons = sql`array(select r from unnest(p.reasons) r where r = any(${[...heldReasons]}::text[]))`
  return sql`(
    select p.id, 'members' as kind, p.name, p.name_key, ${reasons} as reasons, w.since, false as rejected
    from (select * from provisioned_groups where org_id = ${org} and directory_id = ${directoryId} and state = 'held' offset 0) p
    cross join lateral (
      select min(coalesce(held_at, since)) as since from memberships where org_id = ${org} and group_id = p.group_id and waiting = 'held'
    ) w
    where w.since is not null
    union all
    select h.id, h.act, h.name, coalesce(
        (select user_name_key from accounts a where a.org_id = ${org} and a.id = h.account_id),
        (select name_key from groups o where o.org_id = ${org} and o.id = h.group_id)), array[h.reason], h.since, h.is_rejected
    from (select * from held_acts where org_id = ${org} and directory_id = ${directoryId} offset 0) h
    where ${stillWaits(reader)}
  ) as waiting`
}

async function memberCounts(reader: Reader, items: readonly Row[]): Promise<Map<string, Held['members']>> {
  const { selected, changing } = heldOf(
    reader,
    items.map((item) => ({ ...item, people: null })),
  )
  const { rows } = await sql<{ id: string } & Held['members']>`
    with ${selected}, ${changing}
    select id, (count(*) filter (where gives))::integer as added, (count(*) filter (where not gives))::integer as removed
    from changing group by id`.execute(reader)
  return new Map(rows.map(({ id, ...members }) => [id, members]))
}

/** The same of units of a run, as they were asked for. */
export const heldUnitsOf = (
  rows: readonly { id: ProvisionedGroupId; name: string; people?: readonly AccountId[] | null | undefined }[],
): HeldUnit[] => rows.map(({ id, name, people }) => ({ id, name, people: people ?? null }))
