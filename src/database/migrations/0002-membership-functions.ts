import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * The one statement that writes memberships, and a push of members, as functions: the push is the hottest path there is, and as
 * one call it costs the database and the server half of what begin, lock, change and commit cost (bench/push.ts). What is pushed,
 * what follows and what waits is decided in TypeScript, but for the state that is read under the lock.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(changeMemberships).execute(db)
  await sql.raw(pushMembers).execute(db)
}

// given: (group, account, pushed, effective), each pair once; null leaves a truth as it is. Locks the groups first: the statement
// after it sees what those before have written.
// A row with neither truth is deleted. Rows, counts and one log entry a group; what changes nothing writes nothing.
const changeMemberships = `
create function change_memberships(
  given_org uuid, given_actor text, given_request text, given_action text, given_directory uuid, given_run uuid, given_facts jsonb,
  given_groups uuid[], given_accounts uuid[], given_pushed boolean[], given_effective boolean[],
  out added integer, out removed integer, out pushed_added integer, out pushed_removed integer
) language plpgsql as $$
#variable_conflict use_column
begin
  perform from groups where org_id = given_org and id = any(given_groups) order by id for no key update;
  with changed as materialized (
    select given.group_id, given.account_id,
      coalesce(have.pushed, false) as had_pushed, coalesce(have.effective, false) as had_effective,
      coalesce(given.pushed, have.pushed, false) as pushed, coalesce(given.effective, have.effective, false) as effective
    from unnest(given_groups, given_accounts, given_pushed, given_effective) as given(group_id, account_id, pushed, effective)
    left join lateral (
      select m.pushed, m.effective from memberships m
      where m.org_id = given_org and m.group_id = given.group_id and m.account_id = given.account_id
      -- keeps the look-up a look-up: a join over the whole group would cost what the group costs
      offset 0
    ) as have on true
    where coalesce(given.pushed, have.pushed, false) <> coalesce(have.pushed, false)
      or coalesce(given.effective, have.effective, false) <> coalesce(have.effective, false)
  ),
  written as (
    insert into memberships (org_id, group_id, account_id, pushed, effective)
    select given_org, group_id, account_id, pushed, effective from changed where pushed or effective
    on conflict (org_id, group_id, account_id) do update set pushed = excluded.pushed, effective = excluded.effective, waiting = null,
      since = case when memberships.effective = excluded.effective then memberships.since else now() end
  ),
  deleted as (
    delete from memberships using changed
    where memberships.org_id = given_org and memberships.group_id = changed.group_id and memberships.account_id = changed.account_id
      and not changed.pushed and not changed.effective
  ),
  by_group as materialized (
    select group_id,
      count(*) filter (where effective) - count(*) filter (where had_effective) as members,
      count(*) filter (where pushed and not effective) - count(*) filter (where had_pushed and not had_effective) as to_add,
      count(*) filter (where effective and not pushed) - count(*) filter (where had_effective and not had_pushed) as to_remove,
      array_agg(account_id) filter (where effective and not had_effective) as added,
      array_agg(account_id) filter (where had_effective and not effective) as removed,
      array_agg(account_id) filter (where pushed and not had_pushed) as pushed_added,
      array_agg(account_id) filter (where had_pushed and not pushed) as pushed_removed
    from changed group by group_id
  ),
  counted as (
    update groups set member_count = member_count + members, add_count = add_count + to_add, remove_count = remove_count + to_remove
    from by_group where groups.org_id = given_org and groups.id = by_group.group_id and (members <> 0 or to_add <> 0 or to_remove <> 0)
  ),
  logged as (
    insert into log_entries (org_id, actor, request_id, action, directory_id, run_id, facts, subject, added, removed, pushed_added, pushed_removed)
    select given_org, given_actor, given_request, given_action, given_directory, given_run, given_facts,
      group_id, added, removed, pushed_added, pushed_removed
    from by_group order by group_id
  )
  select coalesce(sum(cardinality(b.added)), 0), coalesce(sum(cardinality(b.removed)), 0),
    coalesce(sum(cardinality(b.pushed_added)), 0), coalesce(sum(cardinality(b.pushed_removed)), 0)
  into added, removed, pushed_added, pushed_removed
  from by_group b;
end $$`

// A push of some members of one group, as a transaction of its own. Answers null, and has done nothing, where that is not all there is
// to it: no such group of the directory, or a member that is no user of it.
const pushMembers = `
create function push_members(
  given_org uuid, given_actor text, given_request text, given_directory uuid, given_group uuid, given_added uuid[], given_removed uuid[]
) returns boolean language plpgsql as $$
declare
  place record;
  said record;
  change record;
begin
  perform set_config('muster.org_id', given_org::text, true);
  select p.group_id, p.state in ('synced', 'held') as follow into place from provisioned_groups p
  where p.org_id = given_org and p.id = given_group and p.directory_id = given_directory
  for no key update;
  if not found then return null; end if;
  select array_agg(place.group_id) as groups, array_agg(account_id) as accounts, array_agg(pushed) as pushed,
    array_agg(case when place.follow then pushed end) as effective, count(*) as count into said
  from (
    select u.account_id, member.pushed
    from (select unnest(given_added) as id, true as pushed union all select unnest(given_removed), false) as member
    -- written so that no index on the directory is taken: without statistics all its users would be read for each member
    join provisioned_users u on u.org_id = given_org and u.id = member.id and u.directory_id is not distinct from given_directory
    -- who is deleted at this moment is not added behind the deletion's back
    for key share of u
  ) as known;
  if said.count < cardinality(given_added) + cardinality(given_removed) then return null; end if;
  select * into change from change_memberships(given_org, given_actor, given_request, 'members.pushed', given_directory, null, '{}',
    said.groups, said.accounts, said.pushed, said.effective);
  if change.pushed_added + change.pushed_removed = 0 then return false; end if;
  update provisioned_groups set members_written_at = now(), updated_at = now(), version = version + 1
  where org_id = given_org and id = given_group;
  return true;
end $$`
