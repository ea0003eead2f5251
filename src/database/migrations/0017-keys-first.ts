import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * What the directories pushed is found by the key that picks it, and the directory stands last in each index (decision 0041). While it stood
 * before the key, half of the indexes began alike: without statistics, as at a first push, the planner takes each for as good as the others,
 * and took ones that read everybody in the directory for one user.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(users).execute(db)
  await sql.raw(groups).execute(db)
}

const users = `
alter table provisioned_users
  drop constraint provisioned_users_org_id_directory_id_user_name_key_key,
  drop constraint provisioned_users_org_id_directory_id_account_id_key,
  add unique (org_id, user_name_key, directory_id),
  add unique (org_id, account_id, directory_id);
drop index provisioned_users_by_external_id, provisioned_users_by_email, provisioned_users_by_account, provisioned_users_by_update;
create index provisioned_users_by_external_id on provisioned_users (org_id, external_id, directory_id);
create index provisioned_users_by_email on provisioned_users (org_id, email_key, directory_id);
create index provisioned_users_by_update on provisioned_users (org_id, updated_at, directory_id);
`

const groups = `
alter table provisioned_groups
  drop constraint provisioned_groups_org_id_directory_id_name_key_key,
  add unique (org_id, name_key, directory_id);
drop index provisioned_groups_by_state, provisioned_groups_by_external_id, provisioned_groups_by_name;
create index provisioned_groups_by_state on provisioned_groups (org_id, state, directory_id, name_key);
create index provisioned_groups_by_external_id on provisioned_groups (org_id, external_id, directory_id);
`
