import { type Kysely, sql } from 'kysely'

// A node of before takes what push_members answers for versions, and guards deletions by a lock that it no longer takes.
export const breaking = true

/**
 * Pushes and deletions of users wait for one another where they are about the same person only (docs/decisions/0040). What requests are found
 * by is looked up. What a directory has deleted is not offered to it again.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop function push_members`.execute(db)
  await sql`drop function change_memberships`.execute(db)
  await sql.raw(changeMemberships).execute(db)
  await sql.raw(pushMembers).execute(db)
  await sql.raw(requestSubjects).execute(db)
  await sql`alter table taken_offers add column declined boolean not null default false`.execute(db)
}

// As before (migration 0003), but for its end: who has come into a pushed group is a user of the directory still. A deletion holds the account's
// row, for which the foreign key of a new membership has waited; where it was committed meanwhile, all of this is done again. Of a membership
// that was there, in whatever truth, the deletion has locked the group.
const changeMemberships = `
create function change_memberships(
  given_org uuid, given_actor text, given_request text, given_action text, given_directory uuid, given_run uuid, given_facts jsonb,
  given_groups uuid[], given_accounts uuid[], given_pushed boolean[], given_effective boolean[], given_requests text[] default null,
  out added integer, out removed integer, out pushed_added integer, out pushed_removed integer, out changed_groups uuid[]
) language plpgsql as $$
#variable_conflict use_column
declare
  come uuid[];
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
    coalesce(sum(cardinality(b.pushed_added)), 0), coalesce(sum(cardinality(b.pushed_removed)), 0), array_agg(b.group_id),
    (select array_agg(account_id) from changed where pushed and not had_pushed and not had_effective)
  into added, removed, pushed_added, pushed_removed, changed_groups, come
  from by_group b;
  if given_action = 'members.pushed' and given_directory is not null and come is not null and exists (
    select from unnest(come) as one(account_id)
    -- a look-up each: without statistics a join would read all users
    where (select u.id from provisioned_users u
      where u.org_id = given_org and u.account_id = one.account_id and u.directory_id is not distinct from given_directory limit 1) is null
  ) then
    raise exception 'a user was deleted while the push waited' using errcode = 'serialization_failure';
  end if;
end $$`

// As before, without the lock for all users of the directory. Answers for each push whether it is done; false, and nothing is done for it, where
// that is not all there is to it (no such group of the directory, one in a nest, a member that is no user of it), or somebody is at the group.
const pushMembers = `
create function push_members(
  given_org uuid, given_actor text, given_directory uuid, given_groups uuid[], given_requests text[],
  given_pushes integer[], given_users uuid[], given_pushed boolean[]
) returns boolean[] language plpgsql as $$
declare
  place record;
  said record;
  changed_groups uuid[];
begin
  perform set_config('muster.org_id', given_org::text, true);
  select array_agg(locked.group_id order by push) as groups, array_agg(locked.follow order by push) as follow into place
  from unnest(given_groups) with ordinality as given(id, push)
  left join lateral (
    select p.group_id, p.state in ('synced', 'held') as follow
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
  update provisioned_groups p set members_written_at = now(), updated_at = now(), version = p.version + 1
  where p.org_id = given_org and p.id = any(given_groups) and p.group_id = any(changed_groups);
  return array(select coalesce(push = any(said.pushes), false) from generate_subscripts(given_groups, 1) as push order by push);
end $$`

// In which minutes there are lines of whom or what: an index over scim_requests.subjects itself cannot be used under row-level security.
const requestSubjects = `
create table scim_request_subjects (
  org_id uuid not null,
  directory_id uuid not null,
  subject uuid not null,
  minute timestamptz not null,
  primary key (org_id, directory_id, subject, minute)
);
alter table scim_request_subjects enable row level security;
alter table scim_request_subjects force row level security;
create policy organization on scim_request_subjects using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
`
