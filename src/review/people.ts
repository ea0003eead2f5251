import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import { found, type Listed, type Listing, orderBy, page } from '../organization/listing.ts'
import { accessEffects, togetherEffects } from './access-effects.ts'
import { type Choices, type Proposed, type Sql, syncOf } from './differences.ts'
import { roleOf } from './grants.ts'
import { consequences, together } from './warnings.ts'

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

/** The people whom a sync of these groups together adds or removes, and what becomes of their access. */
export function peopleOf(
  reader: Reader,
  ids: readonly ProvisionedGroupId[],
  who: PeopleFilter,
  listing: Listing,
  choices?: Choices,
): Promise<Listed<PersonEffect>> {
  return peopleOfProposed(reader, syncOf(reader, ids, choices), who, listing)
}

/** The people whom all that is proposed adds or removes: a page, in one statement; details for that page only. */
export async function peopleOfProposed(
  reader: Reader,
  proposed: Proposed,
  who: PeopleFilter,
  listing: Listing,
): Promise<Listed<PersonEffect>> {
  const org = reader.orgId
  const rows = await inHashes(
    reader,
    sql<{ total: number; items: PersonEffect[] }>`
    with ${accessEffects(reader, proposed)},
    ${togetherEffects},
    ${consequences(reader, together)},
    touched_people as (
      -- in groups, not in joins of expressions, whose sizes the planner does not know
      select account_id, sum(added) as added, sum(removed) as removed, sum(lost) as lost, sum(gained) as gained, sum(kept) as kept, sum(joint) as joint,
        bool_or(is_left) as left_with_none
      from (
        select account_id, gives::integer as added, (not gives)::integer as removed, 0 as lost, 0 as gained, 0 as kept, 0 as joint, false as is_left
        from differing
        union all select account_id, 0, 0, lost::integer, gained::integer, (taken > 0 and not lost)::integer, (lost and givers > 1)::integer, false from effects
        union all select account_id, 0, 0, 0, 0, 0, 0, true from together_left
      ) each group by account_id
    ),
    person as materialized (
      select a.id, a.user_name, a.user_name_key, a.display_name, a.email, a.active, t.added, t.removed, t.lost, t.gained, t.kept, t.joint, t.left_with_none
      from touched_people t
      cross join lateral (select * from accounts where org_id = ${org} and id = t.account_id offset 0) a
      where ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}
    ),
    paged as materialized (
      select row_number() over (${orderBy(listing.sort, sorts, '-lost', 'removed desc, user_name_key, id')}) as position, person.*
      from person where ${wanted[who]}
      order by position ${page(listing)}
    ),
    -- The groups of whom the page shows: those in force, and those that will be.
    standing as (
      select account_id, array_agg(group_id) filter (where is_in) as before, array_agg(group_id) filter (where will_be) as after
      from (
        select account_id, group_id, bool_or(is_in) as is_in, bool_or(gives) or (bool_or(is_in) and not bool_or(takes)) as will_be
        from (
          select p.id as account_id, m.group_id, true as is_in, false as gives, false as takes
          from paged p
          cross join lateral (select group_id from memberships where org_id = ${org} and account_id = p.id and effective offset 0) m
          union all select account_id, group_id, false, gives, not gives from differing where ${isOnPage}
        ) met group by account_id, group_id
      ) each group by account_id
    ),
    facts as (
      select id as account_id, position, null as kind, null as name, left_with_none,
        json_build_object('id', id, 'userName', user_name, 'displayName', display_name, 'email', email, 'active', active) as fact
      from paged
      union all
      select d.account_id, null, 'group', s.name, null, json_build_object('id', s.id, 'name', s.name, 'change', case when gives then 'added' else 'removed' end)
      from differing d join selected s on s.id = d.id where ${isOnPage}
      ${accessFacts(reader, 'lost', sql`lost`, sql`'isJoint', e.givers > 1, 'stillHas', ${stillHas(reader)}, 'through', ${through(reader, sql`before`)}`)}
      ${accessFacts(reader, 'gained', sql`gained`, sql`'through', ${through(reader, sql`after`)}`)}
      ${accessFacts(reader, 'kept', sql`taken > 0 and not lost`, sql`'through', ${through(reader, sql`after`, sql`, 'alsoRemoves', ${alsoRemoves(reader)}`)}`)}
    ),
    described as (
      select min(position) as position, json_build_object('person', (json_agg(fact) filter (where kind is null)) -> 0, 'groups', ${facts('group')},
        'lost', ${facts('lost')}, 'gained', ${facts('gained')}, 'kept', ${facts('kept')}, 'leftWithNone', bool_or(left_with_none)) as item
      from facts group by account_id
    )
    select (select count(*) from person where ${wanted[who]})::integer as total, coalesce(json_agg(item order by position), '[]') as items
    from described`,
  )
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
  join standing on standing.account_id = e.account_id
  ${roleOf(reader, sql`e.role_id`)}`

const through = (reader: Reader, groups: Sql, more: Sql = sql``): Sql => sql`(
  select coalesce(json_agg(json_build_object('id', o.id, 'name', o.name${more}) order by o.name), '[]')
  from unnest(standing.${groups}) as m(group_id)
  cross join lateral (select from grants where org_id = ${reader.orgId} and group_id = m.group_id and role_id = e.role_id offset 0) g
  cross join lateral (select id, name from groups where org_id = ${reader.orgId} and id = m.group_id offset 0) o)`

const alsoRemoves = (reader: Reader): Sql => sql`coalesce((
  select not pushed from memberships where org_id = ${reader.orgId} and group_id = m.group_id and account_id = e.account_id), false)`

// Roles have no order here: another role on the product is named, never called less.
const stillHas = (reader: Reader): Sql => sql`(
  select coalesce(json_agg(distinct r2.name), '[]')
  from unnest(standing.after) as m(group_id)
  cross join lateral (select role_id from grants where org_id = ${reader.orgId} and group_id = m.group_id offset 0) g
  cross join lateral (select name from product_roles where org_id = ${reader.orgId} and id = g.role_id and product_id = p.id offset 0) r2)`
