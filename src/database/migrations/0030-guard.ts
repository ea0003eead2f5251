import { type Kysely, sql } from 'kysely'

// A node of before does not know that a push may be held, nor asks before it switches people off.
export const breaking = true

/** The guard (docs/decisions/0044): how much a directory's pushes may take within an hour, and what was taken of each group. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table directories
    add column guard_members_percent integer not null default 25 check (guard_members_percent between 0 and 100),
    add column guard_members_over integer not null default 10 check (guard_members_over between 0 and 1000000),
    add column guard_people integer not null default 10 check (guard_people between 1 and 1000000),
    add column guard_people_percent integer not null default 5 check (guard_people_percent between 0 and 100),
    add column guard_groups integer not null default 3 check (guard_groups between 0 and 1000000),
    add column guard_groups_percent integer not null default 5 check (guard_groups_percent between 0 and 100)`.execute(db)
  // A row [minute, members before, taken by pushes] for each minute of the last hour in which members came or went.
  await sql`alter table groups add column recent integer[] not null default '{}'`.execute(db)
  await sql`alter table memberships add column held_at timestamptz`.execute(db)
  await sql`create index memberships_held on memberships (org_id, group_id, account_id) where waiting = 'held'`.execute(db)
  await sql`drop function push_members`.execute(db)
  await sql`drop function change_memberships`.execute(db)
  await sql.raw(withChange).execute(db)
  await sql.raw(whyHeld).execute(db)
  await sql.raw(leavesWithoutHolder).execute(db)
  await sql.raw(changeMemberships).execute(db)
  await sql.raw(pushMembers).execute(db)
}

// What `recent` of a group is after a change: what is older than an hour is left out. Minutes are since 1970.
const withChange = `
create function with_change(recent integer[], minute integer, size integer, taken integer) returns integer[] language plpgsql immutable as $$
declare
  last integer := coalesce(array_length(recent, 1), 0);
  first integer := 1;
begin
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

// Why a push of the directory may not take these active people out of a group by itself; null where it may. The caller holds the group's lock.
const whyHeld = `
create function why_members_are_held(given_org uuid, given_directory uuid, given_group uuid, given_accounts uuid[]) returns text language plpgsql as $$
declare
  window_start integer := extract(epoch from now())::bigint / 60 - 60;
  g record;
  d record;
  size integer;
  taken integer := 0;
  i integer;
  role uuid;
begin
  select member_count, recent into g from groups where org_id = given_org and id = given_group;
  select guard_members_percent as percent, guard_members_over as small into d from directories where org_id = given_org and id = given_directory;
  size := g.member_count;
  for i in reverse coalesce(array_length(g.recent, 1), 0) .. 1 loop
    exit when g.recent[i][1] < window_start;
    size := g.recent[i][2];
    taken := taken + g.recent[i][3];
  end loop;
  -- Of who is there: what others than pushes took within the hour is no room for pushes to take more.
  if size > d.small and (taken + cardinality(given_accounts)) * 100::bigint > d.percent * least(size, g.member_count + taken)::bigint then
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

// Whether a role would have no active holder, were these people (null: all) taken out of these groups (null: all). Locks the role, so that
// two who each take the last but one do so one after the other.
const leavesWithoutHolder = `
create function leaves_without_holder(given_org uuid, given_role uuid, given_groups uuid[], given_accounts uuid[]) returns boolean language plpgsql as $$
begin
  perform from product_roles where org_id = given_org and id = given_role for no key update;
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

// As before (migration 0021), but for the guard. Where a push takes too much of a group, its removals there wait: pushed is what the provider
// says, and effective stays; held_groups and held_reasons say so. Of pushes that are to be done at once (given_requests) nothing is done for
// that group. free_groups: those of whose memberships one waits no more.
const changeMemberships = `
create function change_memberships(
  given_org uuid, given_actor text, given_request text, given_action text, given_directory uuid, given_run uuid, given_facts jsonb,
  given_groups uuid[], given_accounts uuid[], given_pushed boolean[], given_effective boolean[], given_requests text[] default null,
  out added integer, out removed integer, out pushed_added integer, out pushed_removed integer, out changed_groups uuid[],
  out held_groups uuid[], out held_reasons text[], out free_groups uuid[]
) language plpgsql as $$
#variable_conflict use_column
declare
  come uuid[];
  is_push constant boolean := given_action = 'members.pushed' and given_directory is not null;
begin
  perform from groups where org_id = given_org and id = any(given_groups) order by id for no key update;
  with said as materialized (
    select given.group_id, given.account_id, given.request_id, have.waiting,
      coalesce(have.pushed, false) as had_pushed, coalesce(have.effective, false) as had_effective, want.pushed, want.effective,
      -- who is switched off has nothing that could be taken
      case when is_push and have.effective and not want.effective
        then (select a.active from accounts a where a.org_id = given_org and a.id = given.account_id) else false end as takes
    from unnest(given_groups, given_accounts, given_pushed, given_effective, given_requests)
      as given(group_id, account_id, pushed, effective, request_id)
    left join lateral (
      select m.pushed, m.effective, m.waiting from memberships m
      where m.org_id = given_org and m.group_id = given.group_id and m.account_id = given.account_id
      -- keeps the look-up a look-up: a join over the whole group would cost what the group costs
      offset 0
    ) as have on true
    cross join lateral (
      select coalesce(given.pushed, have.pushed, false) as pushed,
        coalesce(
          case when have.waiting is null or given.pushed <> have.pushed or given_action <> 'members.pushed' then given.effective end,
          have.effective, false) as effective
    ) as want
    where want.pushed <> coalesce(have.pushed, false) or want.effective <> coalesce(have.effective, false)
  ),
  held as materialized (
    select t.group_id, w.reason
    from (select group_id, array_agg(account_id) as accounts from said where takes group by group_id) as t
    cross join lateral (select why_members_are_held(given_org, given_directory, t.group_id, t.accounts) as reason offset 0) as w
    where w.reason is not null
  ),
  changed as materialized (
    select group_id, account_id, request_id, waiting, had_pushed, had_effective, pushed, effective or (takes and reason is not null) as effective,
      takes and reason is null as takes, takes and reason is not null as waits, reason
    from (select s.*, (select h.reason from held h where h.group_id = s.group_id) as reason from said s) as s
    where reason is null or given_requests is null
  ),
  written as (
    insert into memberships (org_id, group_id, account_id, pushed, effective, waiting, held_at)
    select given_org, group_id, account_id, pushed, effective, case when waits then 'held' end, case when waits then now() end
    from changed where pushed or effective
    on conflict (org_id, group_id, account_id) do update set pushed = excluded.pushed, effective = excluded.effective,
      waiting = excluded.waiting, held_at = excluded.held_at,
      since = case when memberships.effective = excluded.effective then memberships.since else now() end
  ),
  deleted as (
    delete from memberships using changed
    where memberships.org_id = given_org and memberships.group_id = changed.group_id and memberships.account_id = changed.account_id
      and not changed.pushed and not changed.effective
  ),
  by_group as materialized (
    select group_id, coalesce(min(request_id), given_request) as request_id, min(reason) as reason, bool_or(waiting = 'held') as frees,
      count(*) filter (where effective) - count(*) filter (where had_effective) as members,
      count(*) filter (where pushed and not effective) - count(*) filter (where had_pushed and not had_effective) as to_add,
      count(*) filter (where effective and not pushed) - count(*) filter (where had_effective and not had_pushed) as to_remove,
      count(*) filter (where takes) as taken,
      array_agg(account_id) filter (where effective and not had_effective) as added,
      array_agg(account_id) filter (where had_effective and not effective) as removed,
      array_agg(account_id) filter (where pushed and not had_pushed) as pushed_added,
      array_agg(account_id) filter (where had_pushed and not pushed) as pushed_removed
    from changed group by group_id
  ),
  counted as (
    update groups set member_count = member_count + members, add_count = add_count + to_add, remove_count = remove_count + to_remove,
      recent = case when added is null and removed is null then recent
        else with_change(recent, (extract(epoch from now())::bigint / 60)::integer, member_count, taken::integer) end
    from by_group where groups.org_id = given_org and groups.id = by_group.group_id
      and (members <> 0 or to_add <> 0 or to_remove <> 0 or taken <> 0)
  ),
  logged as (
    insert into log_entries (org_id, actor, request_id, action, directory_id, run_id, facts, subject, added, removed, pushed_added, pushed_removed)
    select given_org, given_actor, request_id, given_action, given_directory, given_run,
      case when reason is null then given_facts else given_facts || jsonb_build_object('held', reason) end,
      group_id, added, removed, pushed_added, pushed_removed
    from by_group order by group_id
  )
  select coalesce(sum(cardinality(b.added)), 0), coalesce(sum(cardinality(b.removed)), 0),
    coalesce(sum(cardinality(b.pushed_added)), 0), coalesce(sum(cardinality(b.pushed_removed)), 0), array_agg(b.group_id),
    (select array_agg(account_id) from changed where pushed and not had_pushed and not had_effective),
    (select array_agg(h.group_id) from held h), (select array_agg(h.reason) from held h), array_agg(b.group_id) filter (where b.frees)
  into added, removed, pushed_added, pushed_removed, changed_groups, come, held_groups, held_reasons, free_groups
  from by_group b;
  if is_push and come is not null and exists (
    select from unnest(come) as one(account_id)
    -- a look-up each: without statistics a join would read all users
    where (select u.id from provisioned_users u
      where u.org_id = given_org and u.account_id = one.account_id and u.directory_id is not distinct from given_directory limit 1) is null
  ) then
    raise exception 'a user was deleted while the push waited' using errcode = 'serialization_failure';
  end if;
end $$`

// As before (migration 0016), but that a group of which something waits, or would, is left to who sets its state.
const pushMembers = `
create function push_members(
  given_org uuid, given_actor text, given_directory uuid, given_groups uuid[], given_requests text[],
  given_pushes integer[], given_users uuid[], given_pushed boolean[]
) returns boolean[] language plpgsql as $$
declare
  place record;
  said record;
  change record;
begin
  perform set_config('muster.org_id', given_org::text, true);
  select array_agg(locked.group_id order by push) as groups, array_agg(locked.follow order by push) as follow into place
  from unnest(given_groups) with ordinality as given(id, push)
  left join lateral (
    select p.group_id, p.state = 'synced' as follow
    from provisioned_groups p join groups g on g.org_id = given_org and g.id = p.group_id
    where p.org_id = given_org and p.id = given.id and p.directory_id is not distinct from given_directory and not p.is_nested and p.state <> 'held'
    for no key update of p, g skip locked
  ) as locked on true;
  select array_agg(place.groups[push]) as groups, array_agg(account_id) as accounts, array_agg(pushed) as pushed,
    array_agg(case when place.follow[push] then pushed end) as effective, array_agg(given_requests[push]) as requests,
    array_agg(push) as pushes into said
  from (
    select member.push, member.pushed, u.account_id, every(u.id is not null) over (partition by member.push) as is_known
    from unnest(given_pushes, given_users, given_pushed) as member(push, user_id, pushed)
    -- written so that no index on the directory is taken: without statistics all its users would be read for each member
    left join provisioned_users u on u.org_id = given_org and u.id = member.user_id and u.directory_id is not distinct from given_directory
    where place.groups[member.push] is not null
  ) as known
  where is_known;
  select * into change
  from change_memberships(given_org, given_actor, null, 'members.pushed', given_directory, null, '{}',
    said.groups, said.accounts, said.pushed, said.effective, said.requests);
  update provisioned_groups p set members_written_at = now(), updated_at = now(), version = p.version + 1
  where p.org_id = given_org and p.id = any(given_groups) and p.group_id = any(change.changed_groups);
  return array(
    select coalesce(push = any(said.pushes) and place.groups[push] <> all(coalesce(change.held_groups, '{}')), false)
    from generate_subscripts(given_groups, 1) as push order by push
  );
end $$`
