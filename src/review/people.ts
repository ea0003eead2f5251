import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import { found, type Listed, type Listing, orderBy, page } from '../organization/listing.ts'
import { accessEffects, afterTogether, togetherEffects } from './access-effects.ts'
import { type Sql, selectedByIds } from './differences.ts'
import { consequences } from './warnings.ts'

export const peopleFilters = [
  'all',
  'losing',
  'gaining',
  'keeping',
  'left_with_none',
  'joint',
  'removed',
  'removed_losing_nothing',
  'added',
  'added_gaining_nothing',
  'inactive',
] as const
/** Whom of the people that a selection touches is asked for. `joint`: who loses what no group takes alone. */
type PeopleFilter = (typeof peopleFilters)[number]

interface Access {
  site: string
  product: string
  role: string
}
interface Through {
  id: GroupId
  name: string
}

/** What a selection does to one person. */
export interface PersonEffect {
  person: { id: AccountId; userName: string; displayName: string | null; email: string | null; active: boolean }
  /** The selected groups that add or remove the person. */
  groups: { id: ProvisionedGroupId; name: string; change: 'added' | 'removed' }[]
  /** `through`: the groups it came through; `stillHas`: the roles that stay on the same product; `isJoint`: no group takes it alone. */
  lost: (Access & { through: Through[]; stillHas: string[]; isJoint: boolean })[]
  gained: (Access & { through: Through[] })[]
  /** What a selected group no longer gives and another still does. `alsoRemoves`: that one's provider has dropped the person too. */
  kept: (Access & { through: (Through & { alsoRemoves: boolean })[] })[]
  leftWithNone: boolean
}

const sorts = { lost: 'lost', gained: 'gained', kept: 'kept', name: 'user_name_key' }

const wanted: Record<PeopleFilter, Sql> = {
  all: sql`true`,
  losing: sql`lost > 0`,
  gaining: sql`gained > 0`,
  keeping: sql`kept > 0`,
  left_with_none: sql`left_with_none`,
  joint: sql`joint > 0`,
  removed: sql`removed > 0`,
  removed_losing_nothing: sql`removed > 0 and lost = 0`,
  added: sql`added > 0`,
  added_gaining_nothing: sql`added > 0 and gained = 0`,
  inactive: sql`not active`,
}

/** The people whom these groups together add or remove, and what becomes of their access: a page, in one statement; details for that page only. */
export async function peopleOf(
  reader: Reader,
  ids: readonly ProvisionedGroupId[],
  who: PeopleFilter,
  listing: Listing,
): Promise<Listed<PersonEffect>> {
  const { rows } = await sql<{ total: number; items: PersonEffect[] }>`
    with ${selectedByIds(reader, ids)},
    ${accessEffects(reader)},
    ${togetherEffects},
    ${consequences(reader, { effects: sql`together`, after: afterTogether, name: 'together' })},
    touched_people as (
      -- in groups, not in joins of expressions, whose sizes the planner does not know
      select account_id, sum(added) as added, sum(removed) as removed, sum(lost) as lost, sum(gained) as gained, sum(kept) as kept, sum(joint) as joint,
        bool_or(is_left) as left_with_none
      from (
        select account_id, pushed::integer as added, (not pushed)::integer as removed, 0 as lost, 0 as gained, 0 as kept, 0 as joint, false as is_left
        from differing
        union all select account_id, 0, 0, lost::integer, gained::integer, (taken > 0 and not lost)::integer, (lost and givers > 1)::integer, false from effects
        union all select account_id, 0, 0, 0, 0, 0, 0, true from together_left
      ) each group by account_id
    ),
    person as materialized (
      select a.id, a.user_name, a.user_name_key, a.display_name, a.email, a.active, t.added, t.removed, t.lost, t.gained, t.kept, t.joint, t.left_with_none
      from touched_people t
      join accounts a on a.org_id = ${reader.orgId} and a.id = t.account_id
      where ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}
    ),
    paged as materialized (
      select row_number() over (${orderBy(listing.sort, sorts, '-lost', 'removed desc, user_name_key, id')}) as position, person.*
      from person where ${wanted[who]}
      order by position ${page(listing)}
    ),
    facts as (
      select id as account_id, position, null as kind, null as name, left_with_none,
        json_build_object('id', id, 'userName', user_name, 'displayName', display_name, 'email', email, 'active', active) as fact
      from paged
      union all
      select account_id, null, 'group', name, null, json_build_object('id', id, 'name', name, 'change', case when pushed then 'added' else 'removed' end)
      from differing where ${isOnPage}
      ${accessFacts(reader, 'lost', sql`lost`, sql`'isJoint', e.givers > 1, 'stillHas', ${stillHas(reader)}, 'through', ${through(reader, sql`m.effective`)}`)}
      ${accessFacts(reader, 'gained', sql`gained`, sql`'through', ${through(reader, afterTogether)}`)}
      ${accessFacts(reader, 'kept', sql`taken > 0 and not lost`, sql`'through', ${through(reader, afterTogether, sql`, 'alsoRemoves', not m.pushed`)}`)}
    ),
    described as (
      select min(position) as position, json_build_object('person', (json_agg(fact) filter (where kind is null)) -> 0, 'groups', ${facts('group')},
        'lost', ${facts('lost')}, 'gained', ${facts('gained')}, 'kept', ${facts('kept')}, 'leftWithNone', bool_or(left_with_none)) as item
      from facts group by account_id
    )
    select (select count(*) from person where ${wanted[who]})::integer as total, coalesce(json_agg(item order by position), '[]') as items
    from described`.execute(reader)
  return rows[0] ?? { total: 0, items: [] }
}

// «is true» keeps it a look-up in a hash: as a join it could loop over all people for each on the page.
const isOnPage: Sql = sql`(account_id in (select id from paged)) is true`

const facts = (kind: string): Sql => sql`coalesce(json_agg(fact order by name) filter (where kind = ${sql.lit(kind)}), '[]')`

const accessFacts = (reader: Reader, kind: string, which: Sql, more: Sql): Sql => sql`
  union all
  select e.account_id, null, ${sql.lit(kind)}, concat_ws('/', s.name, p.name, r.name), null,
    json_build_object('site', s.name, 'product', p.name, 'role', r.name, ${more})
  from (select * from effects where ${which} and ${isOnPage}) e
  join product_roles r on r.org_id = ${reader.orgId} and r.id = e.role_id
  join products p on p.org_id = ${reader.orgId} and p.id = r.product_id
  join sites s on s.org_id = ${reader.orgId} and s.id = p.site_id`

const through = (reader: Reader, truth: Sql, more: Sql = sql``): Sql => sql`(
  select coalesce(json_agg(json_build_object('id', o.id, 'name', o.name${more}) order by o.name), '[]')
  from memberships m
  join groups o on o.org_id = ${reader.orgId} and o.id = m.group_id
  where m.org_id = ${reader.orgId} and m.account_id = e.account_id and ${truth}
    and exists (select from grants g where g.org_id = ${reader.orgId} and g.group_id = m.group_id and g.role_id = e.role_id offset 0))`

// Roles have no order here: another role on the product is named, never called less.
const stillHas = (reader: Reader): Sql => sql`(
  select coalesce(json_agg(distinct r2.name), '[]')
  from memberships m
  join grants g on g.org_id = ${reader.orgId} and g.group_id = m.group_id
  join product_roles r2 on r2.org_id = ${reader.orgId} and r2.id = g.role_id and r2.product_id = p.id
  where m.org_id = ${reader.orgId} and m.account_id = e.account_id and ${afterTogether})`
