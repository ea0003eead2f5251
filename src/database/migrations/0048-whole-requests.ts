import { type Kysely, sql } from 'kysely'

export const breaking = false

/** Where one removal of a request waits, all do (`muster.holds`, guard.ts). A hundred of a hundred is no limit, however often the same go and come. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(whyHeld).execute(db)
}

const whyHeld = `
create or replace function why_members_are_held(given_org uuid, given_directory uuid, given_group uuid, given_accounts uuid[]) returns text language plpgsql as $$
declare
  window_start integer := extract(epoch from now())::bigint / 60 - 60;
  g record;
  d record;
  size integer;
  taken integer := 0;
  i integer;
  role uuid;
begin
  if coalesce(current_setting('muster.holds', true), '') <> '' then
    return current_setting('muster.holds', true);
  end if;
  select member_count, recent into g from groups where org_id = given_org and id = given_group;
  select guard_members_percent as percent, guard_members_over as small into d from directories where org_id = given_org and id = given_directory;
  size := g.member_count;
  for i in reverse coalesce(array_length(g.recent, 1), 0) .. 1 loop
    exit when g.recent[i][1] < window_start;
    size := g.recent[i][2];
    taken := taken + g.recent[i][3];
  end loop;
  -- Of who is there: what others than pushes took within the hour is no room for pushes to take more.
  if d.percent < 100 and size > d.small
    and (taken + cardinality(given_accounts)) * 100::bigint > d.percent * least(size, g.member_count + taken)::bigint then
    return 'guard_passed';
  end if;
  for role in
    select x.role_id from grants x
    cross join lateral (select from product_roles where org_id = given_org and id = x.role_id and is_administrative offset 0) r
    where x.org_id = given_org and x.group_id = given_group order by x.role_id
  loop
    if leaves_without_holder(given_org, role, array[given_group], given_accounts) then
      return 'last_admin';
    end if;
  end loop;
  return null;
end $$`
