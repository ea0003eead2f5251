import { type Kysely, sql } from 'kysely'

export const breaking = false

/** What the guard asks for a push is one statement, and no more is locked than must be (docs/decisions/0044): a third of what it cost. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(withChange).execute(db)
  await sql.raw(whyHeld).execute(db)
  await sql.raw(leavesWithoutHolder).execute(db)
}

// As before (migration 0030), but first what is so mostly: another change within the minute of the last.
const withChange = `
create or replace function with_change(recent integer[], minute integer, size integer, taken integer) returns integer[] language plpgsql immutable as $$
declare
  last integer := coalesce(array_length(recent, 1), 0);
  first integer := 1;
begin
  if last > 0 and recent[1][1] >= minute - 60 and recent[last][1] >= minute then
    if taken <> 0 then
      recent[last][3] := recent[last][3] + taken;
    end if;
    return recent;
  end if;
  while first <= last and recent[first][1] < minute - 60 loop
    first := first + 1;
  end loop;
  if first > 1 then
    recent := recent[first:last][1:3];
    last := last - first + 1;
  end if;
  if last = 0 then
    return array[[minute, size, taken]];
  end if;
  -- of a transaction that began before another one and waited for it, too
  if recent[last][1] >= minute then
    recent[last][3] := recent[last][3] + taken;
    return recent;
  end if;
  return recent || array[[minute, size, taken]];
end $$`

const whyHeld = `
create or replace function why_members_are_held(given_org uuid, given_directory uuid, given_group uuid, given_accounts uuid[]) returns text language plpgsql as $$
declare
  window_start constant integer := extract(epoch from now())::bigint / 60 - 60;
  holds constant text := current_setting('muster.holds', true);
  g record;
  size integer;
  taken integer := 0;
  role uuid;
begin
  if holds <> '' then
    return holds;
  end if;
  select o.member_count, o.recent, d.guard_members_percent as percent, d.guard_members_over as small,
    array(
      select x.role_id from grants x
      cross join lateral (select from product_roles where org_id = given_org and id = x.role_id and is_administrative offset 0) r
      where x.org_id = given_org and x.group_id = given_group order by x.role_id
    ) as roles
  into g
  from groups o, directories d
  where o.org_id = given_org and o.id = given_group and d.org_id = given_org and d.id = given_directory;
  size := g.member_count;
  for i in reverse coalesce(array_length(g.recent, 1), 0) .. 1 loop
    exit when g.recent[i][1] < window_start;
    size := g.recent[i][2];
    taken := taken + g.recent[i][3];
  end loop;
  -- Of who is there: what others than pushes took within the hour is no room for pushes to take more.
  if g.percent < 100 and size > g.small
    and (taken + cardinality(given_accounts)) * 100::bigint > g.percent * least(size, g.member_count + taken)::bigint then
    return 'guard_passed';
  end if;
  foreach role in array g.roles loop
    if leaves_without_holder(given_org, role, array[given_group], given_accounts) then
      return 'last_admin';
    end if;
  end loop;
  return null;
end $$`

// As before (migration 0030), but that the lock is no row's, which would have to be written.
const leavesWithoutHolder = `
create or replace function leaves_without_holder(given_org uuid, given_role uuid, given_groups uuid[], given_accounts uuid[]) returns boolean language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('muster holders ' || given_role::text, 0));
  return not exists (
    select from grants x
    cross join lateral (
      select account_id from memberships m where m.org_id = given_org and m.group_id = x.group_id and m.effective
        and not ((given_groups is null or m.group_id = any(given_groups)) and (given_accounts is null or m.account_id = any(given_accounts))) offset 0
    ) m
    where x.org_id = given_org and x.role_id = given_role
      and (select active from accounts where org_id = given_org and id = m.account_id)
  );
end $$`
