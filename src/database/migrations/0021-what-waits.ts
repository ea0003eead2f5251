import { type Kysely, sql } from 'kysely'

export const breaking = false

/** A push that says again what it has said leaves a membership that waits (kept, or held) as it is in force: only a new word decides. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(changeMemberships).execute(db)
}

// As before (migration 0016), but for want.effective.
const changeMemberships = `
create or replace function change_memberships(
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
      coalesce(have.pushed, false) as had_pushed, coalesce(have.effective, false) as had_effective, want.pushed, want.effective
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
