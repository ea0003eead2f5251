import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Db, Scope } from '../../src/database/connection.ts'
import { newId, type OrgId } from '../../src/database/ids.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { sealNext } from '../../src/organization/seal.ts'

/** Every row of an organization, a text a table: equal texts are equal rows. */
export type OrganizationRows = Record<string, string>

/**
 * Makes an organization that no test is about. Its names are the ones that tests like to use, so that a statement that
 * forgets the organization finds them.
 */
export async function createSecondOrganization(db: Db): Promise<Scope> {
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'system' }
  const id = Object.fromEntries(
    [
      'ada',
      'bob',
      'cyd',
      'engineering',
      'sales',
      'okta',
      'site',
      'product',
      'user',
      'admin',
      'pushed',
      'run',
      'token',
      'scim',
      'her',
      'request',
      'source',
      'target',
      'rule',
      'mapping',
      'plan',
      'list',
      'webhook',
      'device',
      'heldAct',
      'notice',
      'delivery',
    ].map((name) => [name, newId()]),
  )
  await inTransaction(db, scope, async (trx) => {
    const org = scope.orgId
    const hash = (name: string) => createHash('sha256').update(`${org} ${name}`).digest()
    await sql`insert into organizations (id, slug, name) values (${org}, ${`second-${org}`}, 'Second')`.execute(trx)
    await sql`insert into directories (org_id, id, name, name_key, provider) values (${org}, ${id.okta}, 'okta', 'okta', 'okta')`.execute(
      trx,
    )
    await sql`
      insert into accounts (org_id, id, user_name, user_name_key, email, email_key, owned_by) values
        (${org}, ${id.ada}, 'ada', 'ada', 'ada@example.org', 'ada@example.org', ${id.okta}),
        (${org}, ${id.bob}, 'bob', 'bob', 'bob@example.org', 'bob@example.org', null),
        (${org}, ${id.cyd}, 'cyd', 'cyd', 'cyd@example.org', 'cyd@example.org', null)`.execute(trx)
    await sql`
      insert into groups (org_id, id, name, name_key, member_count, add_count, remove_count) values
        (${org}, ${id.engineering}, 'Engineering', 'engineering', 2, 1, 1), (${org}, ${id.sales}, 'Sales', 'sales', 1, 0, 0)`.execute(
      trx,
    )
    await sql`
      insert into memberships (org_id, group_id, account_id, pushed, effective) values
        (${org}, ${id.engineering}, ${id.ada}, true, true), (${org}, ${id.engineering}, ${id.bob}, false, true),
        (${org}, ${id.engineering}, ${id.cyd}, true, false), (${org}, ${id.sales}, ${id.bob}, true, true)`.execute(trx)
    await sql`insert into sites (org_id, id, name, name_key) values (${org}, ${id.site}, 'site', 'site')`.execute(trx)
    await sql`insert into products (org_id, id, site_id, name, name_key) values (${org}, ${id.product}, ${id.site}, 'wiki', 'wiki')`.execute(
      trx,
    )
    await sql`
      insert into product_roles (org_id, id, product_id, name, name_key, is_administrative) values
        (${org}, ${id.user}, ${id.product}, 'user', 'user', false), (${org}, ${id.admin}, ${id.product}, 'admin', 'admin', true)`.execute(
      trx,
    )
    await sql`
      insert into grants (org_id, group_id, role_id, is_default) values
        (${org}, ${id.engineering}, ${id.admin}, false), (${org}, ${id.sales}, ${id.user}, true)`.execute(trx)
    await sql`
      insert into directory_tokens (org_id, id, directory_id, token_hash, hint, created_by, expires_at)
      values (${org}, ${id.scim}, ${id.okta}, ${hash('scim')}, 'abcd', 'system', now() + interval '1 year')`.execute(trx)
    await sql`
      insert into api_tokens (org_id, id, name, role, token_hash, hint, created_by, expires_at)
      values (${org}, ${id.token}, 'theirs', 'owner', ${hash('api')}, 'abcd', 'system', now() + interval '1 year')`.execute(trx)
    await sql`insert into admins (org_id, account_id, role, created_by) values (${org}, ${id.ada}, 'owner', 'system')`.execute(
      trx,
    )
    await sql`
      insert into sessions (org_id, id, account_id, token_hash, signed_in_by, expires_at)
      values (${org}, ${id.token}, ${id.ada}, ${hash('session')}, 'link', now() + interval '1 year')`.execute(trx)
    await sql`
      insert into links (org_id, id, account_id, token_hash, created_by, expires_at)
      values (${org}, ${id.token}, ${id.ada}, ${hash('link')}, 'system', now() + interval '1 year')`.execute(trx)
    await sql`
      insert into sign_in_providers (org_id, id, name, name_key, issuer, client_id)
      values (${org}, ${id.okta}, 'okta', 'okta', 'https://okta.example', 'muster')`.execute(trx)
    await sql`insert into identities (org_id, issuer, subject, account_id) values (${org}, 'https://okta.example', 'ada', ${id.ada})`.execute(
      trx,
    )
    await sql`
      insert into passkeys (org_id, id, account_id, name, credential_id, public_key, counter)
      values (${org}, ${id.token}, ${id.ada}, 'key', 'credential', '\\x00', 0)`.execute(trx)
    await sql`
      insert into sign_in_attempts (org_id, id, token_hash, provider_id, return_to, expires_at)
      values (${org}, ${id.token}, ${hash('attempt')}, ${id.okta}, '/', now() + interval '1 year')`.execute(trx)
    await sql`
      insert into provisioned_users (org_id, id, directory_id, external_id, user_name, user_name_key, email_key, attributes, account_id, matched_by, state)
      values (${org}, ${id.her}, ${id.okta}, 'ext-ada', 'ada', 'ada', 'ada@example.org', '{"userName":"ada"}', ${id.ada}, 'email', 'synced')`.execute(
      trx,
    )
    await sql`
      insert into provisioned_emails (org_id, directory_id, value, provisioned_user_id)
      values (${org}, ${id.okta}, 'ada@example.org', ${id.her})`.execute(trx)
    await sql`
      insert into provisioned_groups (org_id, id, directory_id, external_id, name, name_key, group_id, state, reasons)
      values (${org}, ${id.pushed}, ${id.okta}, 'ext-eng', 'Engineering', 'engineering', ${id.engineering}, 'needs_review', '{name_taken}')`.execute(
      trx,
    )
    await sql`insert into unknown_members (org_id, provisioned_group_id, value) values (${org}, ${id.pushed}, 'nobody')`.execute(
      trx,
    )
    await sql`insert into reconciliations (org_id, id, directory_id, state, created_by) values (${org}, ${id.list}, ${id.okta}, 'compared', 'system')`.execute(
      trx,
    )
    await sql`
      insert into reconciliation_groups (org_id, reconciliation_id, place, name, name_key, is_listed)
      values (${org}, ${id.list}, 1, 'Engineering', 'engineering', true)`.execute(trx)
    await sql`
      insert into reconciliation_members (org_id, reconciliation_id, place, account_id) values (${org}, ${id.list}, 1, ${id.ada})`.execute(
      trx,
    )
    await sql`
      insert into reconciliation_differences (org_id, reconciliation_id, place, user_key, user_name, is_missing)
      values (${org}, ${id.list}, 1, 'ada', 'ada', true)`.execute(trx)
    await sql`
      insert into held_acts (org_id, id, directory_id, act, account_id, name, reason)
      values (${org}, ${id.heldAct}, ${id.okta}, 'switch_off', ${id.bob}, 'bob', 'guard_passed')`.execute(trx)
    await sql`
      insert into device_logins (org_id, id, token_hash, user_code, device, expires_at)
      values (${org}, ${id.device}, ${hash('device')}, 'ABCD-EFGH', 'theirs', now() + interval '1 hour')`.execute(trx)
    await sql`insert into log_followers (org_id, name, position) values (${org}, 'other', 0)`.execute(trx)
    await sql`insert into webhooks (org_id, id, url, is_enabled, created_by) values (${org}, ${id.webhook}, 'mailto:x@example.org', false, 'system')`.execute(
      trx,
    )
    await sql`insert into notices (org_id, id, key, kind, at, data) values (${org}, ${id.notice}, 'key', 'webhook.test', now(), '{}')`.execute(
      trx,
    )
    await sql`
      insert into notice_deliveries (org_id, id, webhook_id, notice_id, state) values (${org}, ${id.delivery}, ${id.webhook}, ${id.notice}, 'delivered')`.execute(
      trx,
    )
    await sql`insert into nested_groups (org_id, parent_id, child_id) values (${org}, ${id.pushed}, ${id.pushed})`.execute(trx)
    await sql`insert into direct_members (org_id, provisioned_group_id, account_id) values (${org}, ${id.pushed}, ${id.ada})`.execute(
      trx,
    )
    await sql`insert into taken_offers (org_id, directory_id, group_id) values (${org}, ${id.okta}, ${id.engineering})`.execute(
      trx,
    )
    await sql`
      insert into runs (org_id, id, kind, state, directory_id, choice, fingerprint, foreseen, group_count, created_by)
      values (${org}, ${id.run}, 'sync', 'queued', ${id.okta}, 'overwrite', 'f', '{}', 1, 'system')`.execute(trx)
    await sql`
      insert into run_groups (org_id, run_id, unit_id, position, name, choice, expected)
      values (${org}, ${id.run}, ${id.pushed}, 1, 'Engineering', 'overwrite', 'f')`.execute(trx)
    await sql`
      insert into scim_requests (org_id, id, directory_id, token_id, at, method, path, status, duration_ms, times, subjects)
      values (${org}, ${id.request}, ${id.okta}, ${id.scim}, now(), 'GET', '/scim/v2/Users', 200, 1, 1, array[${id.her}]::uuid[])`.execute(
      trx,
    )
    await sql`
      insert into scim_request_subjects (org_id, directory_id, subject, minute)
      values (${org}, ${id.okta}, ${id.her}, date_trunc('minute', now(), 'UTC'))`.execute(trx)
    await sql`
      insert into not_the_same (org_id, provisioned_group_id, group_id, said_by) values (${org}, ${id.pushed}, ${id.sales}, 'tests')`.execute(
      trx,
    )
    await sql`insert into push_sources (org_id, id, name, name_key, settings) values (${org}, ${id.source}, 'ldap', 'ldap', '{"kind":"built-in"}')`.execute(
      trx,
    )
    await sql`
      insert into push_targets (org_id, id, name, name_key, source_id, url, profile)
      values (${org}, ${id.target}, 'wiki', 'wiki', ${id.source}, 'https://scim.invalid/v2', 'learnt')`.execute(trx)
    await sql`
      insert into push_rules (org_id, id, target_id, name, name_key, condition)
      values (${org}, ${id.rule}, ${id.target}, 'all', 'all', '{"include":[]}')`.execute(trx)
    await sql`
      insert into push_mappings (org_id, id, target_id, source_key, source_name)
      values (${org}, ${id.mapping}, ${id.target}, 'engineering', 'Engineering')`.execute(trx)
    await sql`
      insert into push_plans (org_id, id, target_id, fingerprint, plan, created_by)
      values (${org}, ${id.plan}, ${id.target}, 'f', '{}', 'system')`.execute(trx)
    await sql`insert into push_steps (org_id, plan_id, step) values (${org}, ${id.plan}, 'group Engineering')`.execute(trx)
    await sql`insert into log_entries (org_id, actor, action) values (${org}, 'system', 'organization.created')`.execute(trx)
    await sql`
      insert into log_people (org_id, account_id, last, entries)
      select ${org}, ${id.ada}, max(id), array_agg(id) from log_entries where org_id = ${org}`.execute(trx)
    // Read already: the job that reads the log finds nothing to do.
    await sql`insert into log_people_read (org_id, done, awaited) select ${org}, max(id), max(id) from log_entries where org_id = ${org}`.execute(
      trx,
    )
  })
  // Sealed, so that no sealer finds anything to do here.
  await inTransaction(db, scope, (trx) => sealNext(trx, '9223372036854775807'))
  return scope
}

/** Reads every row of an organization, of every table that has an `org_id`, whatever tables there are. */
export function rowsOf(db: Db, scope: Scope): Promise<OrganizationRows> {
  return reading(db, scope, async (reader) => {
    const { rows: tables } = await sql<{ name: string }>`
      select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'org_id' order by table_name`.execute(reader)
    const each = tables.map(
      ({ name }) => sql`
      select ${name}::text as name, coalesce(string_agg(row::text, E'\n' order by row::text collate "C"), '') as rows
      from ${sql.table(name)} as row where org_id = ${scope.orgId}`,
    )
    const { rows } = await sql<{ name: string; rows: string }>`${sql.join(each, sql` union all `)}`.execute(reader)
    return Object.fromEntries(rows.map((table) => [table.name, table.rows]))
  })
}
