import { createHash } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type AccountId, type DirectoryId, type GroupId, isId } from '../database/ids.ts'
import { writeAccount } from '../organization/accounts.ts'
import { restorableDays } from '../organization/deleted-groups.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'
import { appendLog } from '../organization/log.ts'
import { putBackMembers } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { lockGroups } from '../organization/permission.ts'
import { Refusal } from '../organization/refusal.ts'
import { follows, lockConcerned, pairedWith } from '../provisioning/groups.ts'
import { settleHeld } from '../provisioning/guard.ts'
import { lockAccountInForce } from '../provisioning/ownership.ts'

/** A person whom a provider deleted: switched off, and restorable for 30 days. */
export interface DeletedPerson {
  id: AccountId
  userName: string
  email: string | null
  displayName: string | null
  directory: { id: DirectoryId; name: string }
  deletedAt: Date
  restorableUntil: Date
}

/** What restoring gives: the groups that the deletion took the person out of, and all that the person may do then. */
export interface PersonRestoration extends DeletedPerson {
  /** `isManaged`: a directory pushes it without the person, whose membership then waits to be allowed or rejected. */
  groups: { id: GroupId; name: string; isManaged: boolean }[]
  /** Accesses (account, site, product, role). */
  gains: number
  fingerprint: string
}

const deletedPeople = (reader: Reader): RawBuilder<unknown> => sql`
  (
    select distinct on (l.account_id) l.*
    from directories d
    cross join lateral (
      select d.id as directory_id, d.name as directory, id as entry, xid, request_id, at, (facts ->> 'accountId')::uuid as account_id
      from log_entries where org_id = ${reader.orgId} and directory_id = d.id and action = 'user.deleted' and run_id is null
        and at > now() - make_interval(days => ${sql.lit(restorableDays)}) and facts #>> '{before,active}' = 'true' offset 0
    ) l
    where d.org_id = ${reader.orgId} order by l.account_id, l.entry desc
  ) l
  cross join lateral (select * from accounts where org_id = ${reader.orgId} and id = l.account_id offset 0) a
  where not a.active and a.owned_by is null and a.observed_by is null and not exists (
    select from provisioned_users where org_id = ${reader.orgId} and account_id = a.id)`

const columns = sql`a.id, a.user_name as "userName", a.email, a.display_name as "displayName",
  json_build_object('id', l.directory_id, 'name', l.directory) as directory, l.at as "deletedAt",
  l.at + make_interval(days => ${sql.lit(restorableDays)}) as "restorableUntil"`

/** Who was deleted by a provider and can be restored. Sorted by -deletedAt or userName. */
export const listDeletedPeople = (reader: Reader, listing: Listing): Promise<Listed<DeletedPerson>> =>
  list(reader, listing, {
    columns,
    from: sql`${deletedPeople(reader)} and ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}`,
    sorts: { deletedAt: 'l.at', userName: 'a.user_name_key' },
    usual: '-deletedAt',
    last: 'a.id',
  })

/** What restoring a person would give. @throws Refusal `not_found` for who was not deleted, or longer ago */
export async function personRestoration(reader: Reader, idOrName: string): Promise<PersonRestoration> {
  const { entry: _, ...shown } = await restorationOf(reader, idOrName)
  return shown
}

/**
 * Restores a person as it was shown: switched on, and in the groups again that the deletion took them out of. A group that a directory
 * manages holds that membership, since the provider does not have it.
 * @throws Refusal `not_found`, `review_changed`
 */
export async function restorePerson(trx: Trx, idOrName: string, fingerprint: string): Promise<PersonRestoration> {
  const before = await restorationOf(trx, idOrName)
  const groupIds = before.groups.map(({ id }) => id)
  await lockConcerned(trx, { groupIds })
  await lockGroups(trx, groupIds)
  await lockAccountInForce(trx, before.id)
  const { entry, ...shown } = await restorationOf(trx, before.id)
  if (shown.fingerprint !== fingerprint)
    throw new Refusal(
      'review_changed',
      'What restoring the person gives has changed. Nothing was restored. Look again, then go on with the new fingerprint.',
      { fingerprint: shown.fingerprint },
    )
  await writeAccount(trx, shown.id, { active: true })
  const facts = { userName: shown.userName, restored: entry, before: { active: false }, after: { active: true } }
  await appendLog(trx, { action: 'account.switched_on', subject: shown.id, facts })
  const following = new Set((await pairedWith(trx, groupIds)).filter(({ state }) => follows(state)).map(({ groupId }) => groupId))
  // One at a time: a person is in few groups.
  for (const { id, name } of shown.groups) {
    const isHeld = following.has(id)
    const rows = sql`select ${shown.id}::uuid as account_id, true as effective`
    const act = { action: 'members.changed' as const, facts: { name, restored: entry } }
    await putBackMembers(trx, id, rows, isHeld ? { kept: [] } : null, act)
    if (isHeld) await settleHeld(trx, [{ groupId: id, reason: null }])
  }
  return shown
}

async function restorationOf(reader: Reader, idOrName: string): Promise<PersonRestoration & { entry: string }> {
  const { rows } = await sql<
    DeletedPerson & { entry: string; groups: PersonRestoration['groups']; gains: number; roles: string | null }
  >`
    with person as materialized (
      select ${columns}, l.entry, l.xid, l.request_id from ${deletedPeople(reader)}
        and (a.id = ${isId(idOrName) ? idOrName : null}::uuid or a.user_name_key = ${nameKey(idOrName)})
      order by a.id = ${isId(idOrName) ? idOrName : null}::uuid desc nulls last limit 1
    ),
    left_groups as materialized (
      select g.id, g.name, g.managed_by is not null as is_managed from person p
      cross join lateral (
        select subject from log_entries where org_id = ${reader.orgId} and request_id = p.request_id and xid = p.xid and p.id = any(removed) offset 0
      ) l
      cross join lateral (select * from groups where org_id = ${reader.orgId} and id = l.subject and effective offset 0) g
    ),
    roles as (
      select distinct x.role_id from (
        select id from left_groups
        union select m.group_id from person p cross join lateral (
          select group_id from memberships where org_id = ${reader.orgId} and account_id = p.id and effective offset 0) m
      ) g cross join lateral (select role_id from grants where org_id = ${reader.orgId} and group_id = g.id offset 0) x
    )
    select p.id, p."userName", p.email, p."displayName", p.directory, p."deletedAt", p."restorableUntil", p.entry::text as entry,
      (select coalesce(json_agg(json_build_object('id', id, 'name', name, 'isManaged', is_managed) order by name), '[]') from left_groups) as groups,
      (select count(*)::integer from roles) as gains, (select string_agg(role_id::text, ',' order by role_id) from roles) as roles
    from person p`.execute(reader)
  if (rows[0] === undefined)
    throw new Refusal('not_found', 'No such person was deleted by a provider within 30 days. List them: muster people deleted')
  const { roles, ...person } = rows[0]
  const told = ['muster.person.1', person.id, person.entry, person.groups, roles]
  return { ...person, fingerprint: createHash('sha256').update(JSON.stringify(told)).digest('hex') }
}
