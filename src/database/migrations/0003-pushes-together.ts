import { type Kysely, sql } from 'kysely'

export const breaking = true

/**
 * Pushes of members that wait for the database at the same time are written together, as one call that is one transaction: what a
 * push costs is the call, the commit and the start of each statement, more than its rows (docs/decisions/0019). change_memberships
 * names the request of each group, and which groups it changed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop function push_members`.execute(db)
  await sql`drop function change_memberships`.execute(db)
  await sql.raw(changeMemberships).execute(db)
  await sql.raw(pushMembers).execute(db)
}

// given: (group, account, pushed, effective, request), each pair once; a null truth stays as it is; one request a group, or one for all.
// Locks the groups first: the statement after it sees what those before have written.
// A row with neither truth is deleted. Rows, counts and one log entry a group; what changes nothing writes nothing.
const changeMemberships = `
create function change_memberships(
  given_org uuid, given_actor text, given_request text, given_action text, given_directory uuid, given_run uuid, given_facts jsonb,
  given_groups uuid[], given_accounts uuid[], given_pushed boolean[], given_effective boolean[], given_requests text[] default null,
  out added integer, out removed integer, out pushed_added integer, out pushed_removed integer, out changed_groups uuid[]
) language plpgsql as $$
#variable_conflict use_column
begin
  perform from groups where org_id = given_org and id = any(given_groups) order by id for no key update;
  with changed as materialized (
    select given.group_id, given.account_id, given.request_id,
      coalesce(have.pushed, false) as had_pushed, coalesce(have.effective, false) as had_effective,
      coalesce(given.pushed, have.pushed, false) as pushed, coalesce(given.effective, have.effective, false) as effective
    from unnest(given_groups, given_accounts, given_pushed, given_effective, given_requests)
      as given(group_id, account_id, pushed, effective, request_id)
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
    select group_id, coalesce(min(request_id), given_request) as request_id,
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
    select given_org, given_actor, request_id, given_action, given_directory, given_run, given_facts,
      group_id, added, removed, pushed_added, pushed_removed
    from by_group order by group_id
  )
  select coalesce(sum(cardinality(b.added)), 0), coalesce(sum(cardinality(b.removed)), 0),
    coalesce(sum(cardinality(b.pushed_added)), 0), coalesce(sum(cardinality(b.pushed_removed)), 0), array_agg(b.group_id)
  into added, removed, pushed_added, pushed_removed, changed_groups
  from by_group b;
end $$`

// Pushes of some members of one group each, all of one directory and no group twice, as one transaction of their own.
// given_groups and given_requests have a place a push; given_pushes (the push, from 1), given_users and given_pushed a place a member.
// Answers the version that each pushed group has now; null, and has done nothing for it, where that is not all there is to a push: no such
// group of the directory, one in a nest (is_nested, migration 0007), a member that is no user of it, or somebody else at the group this moment, for whom the other pushes do not wait.
const pushMembers = `
create function push_members(
  given_org uuid, given_actor text, given_directory uuid, given_groups uuid[], given_requests text[],
  given_pushes integer[], given_users uuid[], given_pushed boolean[]
) returns integer[] language plpgsql as $$
declare
  place record;
  said record;
  changed_groups uuid[];
begin
  -- who is deleted at this moment is not added behind the deletion's back: it takes this lock alone
  perform set_config('muster.org_id', given_org::text, true), pg_advisory_xact_lock_shared(hashtextextended(given_directory::text, 0));
  select array_agg(locked.group_id order by push) as groups, array_agg(locked.follow order by push) as follow,
    array_agg(locked.version order by push) as versions into place
  from unnest(given_groups) with ordinality as given(id, push)
  left join lateral (
    select p.group_id, p.version, p.state in ('synced', 'held') as follow
    from provisioned_groups p join groups g on g.org_id = given_org and g.id = p.group_id
    where p.org_id = given_org and p.id = given.id and p.directory_id is not distinct from given_directory and not p.is_nested
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
  select change.changed_groups into changed_groups
  from change_memberships(given_org, given_actor, null, 'members.pushed', given_directory, null, '{}',
    said.groups, said.accounts, said.pushed, said.effective, said.requests) as change;
  with touched as (
    update provisioned_groups p set members_written_at = now(), updated_at = now(), version = p.version + 1
    where p.org_id = given_org and p.id = any(given_groups) and p.group_id = any(changed_groups)
    returning p.id, p.version
  )
  select array_agg(case when push = any(said.pushes) then coalesce(touched.version, place.versions[push]) end order by push) as versions
  into place
  from unnest(given_groups) with ordinality as given(id, push)
  left join touched using (id);
  return place.versions;
end $$`
