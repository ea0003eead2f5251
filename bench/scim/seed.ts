import { sql } from 'kysely'
import { inTransaction } from '../../src/database/transaction.ts'
import { nameKey } from '../../src/organization/name-key.ts'
import type { BenchOrganization } from '../organization.ts'
import { groups, people, personId, personKey, personOf } from './population.ts'

/** The population as Muster has it, all synced, and the same rows in the bare handler's tables, which have the same indexes. */
export async function seedMuster({ db, scope, directory }: BenchOrganization): Promise<void> {
  const persons = Array.from({ length: people }, (_, n) => ({ id: personId(n), ...personOf(personKey(n)) }))
  const told = persons.map(({ id, userName, externalId, active, ...attributes }) => ({
    id,
    userName,
    key: nameKey(userName),
    externalId,
    attributes,
  }))
  const given = JSON.stringify(groups.map((group) => ({ ...group, key: nameKey(group.name) })))
  await inTransaction(db, scope, async (trx) => {
    await sql`set local statement_timeout = 0`.execute(trx)
    const people = sql`jsonb_to_recordset(${JSON.stringify(told)}::jsonb) as p(id uuid, "userName" text, key text, "externalId" text, attributes jsonb)`
    const org = sql`${trx.orgId}::uuid`
    const owner = sql`${directory.id}::uuid`
    await sql`insert into accounts (org_id, id, user_name, user_name_key, email, email_key, display_name, owned_by)
      select ${org}, id, "userName", key, "userName", key, attributes ->> 'displayName', ${owner} from ${people}`.execute(trx)
    await sql`insert into provisioned_users (org_id, id, directory_id, external_id, user_name, user_name_key, email_key, attributes, account_id, matched_by, state)
      select ${org}, id, ${owner}, "externalId", "userName", key, key, attributes, id, 'created', 'synced' from ${people}`.execute(
      trx,
    )
    const groups = sql`jsonb_to_recordset(${given}::jsonb) as g(id uuid, name text, key text, size integer, "from" integer)`
    await sql`insert into groups (org_id, id, name, name_key, managed_by, member_count)
      select ${org}, id, name, key, ${owner}, size from ${groups}`.execute(trx)
    await sql`insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state)
      select ${org}, id, ${owner}, name, key, id, 'synced' from ${groups}`.execute(trx)
    await sql`insert into memberships (org_id, group_id, account_id, pushed, effective)
      select ${org}, g.id, m.id, true, true
      from ${groups}, lateral unnest((${persons.map(({ id }) => id)}::uuid[])[g."from" + 1:g."from" + g.size]) as m(id)`.execute(
      trx,
    )
    for (const [bare, table] of bareTables) {
      await sql`create table ${sql.table(bare)} (like ${sql.table(table)} including indexes including defaults)`.execute(trx)
      await sql`insert into ${sql.table(bare)} select * from ${sql.table(table)}`.execute(trx)
      // What we compute of a row, it need not.
      const { rows: computed } = await sql<{ name: string }>`
        select attname as name from pg_attribute where attrelid = ${table}::regclass and attgenerated <> ''`.execute(trx)
      for (const { name } of computed) await sql`alter table ${sql.table(bare)} drop column ${sql.ref(name)}`.execute(trx)
    }
  })
  await db.pool.query('vacuum analyze')
}

const bareTables = [
  ['bare_users', 'provisioned_users'],
  ['bare_groups', 'provisioned_groups'],
  ['bare_memberships', 'memberships'],
] as const
