import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId, newId } from '../database/ids.ts'
import type { Ensured } from './accounts.ts'
import { found, type Listed, type Listing, list } from './listing.ts'
import { type Act, appendLog, appendLogs, changeOf, type LogEntry } from './log.ts'
import { type ApplyingPushed, endMembers } from './memberships.ts'
import { nameKey } from './name-key.ts'
import { checkedName, checkedText } from './name-rules.ts'
import { type AskedOfGroup, type GroupStanding, lockGroupFor, whyNotChangeGroup } from './permission.ts'
import { Refusal } from './refusal.ts'

/** A named set of accounts that is in force. `managedBy`: linked, the directory alone changes it; `pushedBy`: a directory pushes it, whatever the state. */
export interface Group {
  id: GroupId
  name: string
  description: string | null
  memberCount: number
  isProtected: boolean
  isDefaultAccess: boolean
  grantCount: number
  managedBy: { id: DirectoryId; name: string } | null
  pushedBy: { id: DirectoryId; name: string; state: string } | null
  createdAt: Date
  updatedAt: Date
}

/** A group, locked, with what decides whether it may be changed. */
export interface LockedGroup extends GroupStanding {
  id: GroupId
}

/**
 * Creates a group that no directory manages.
 * @throws Refusal `invalid_value`, `name_taken`
 */
export async function createGroup(trx: Trx, group: { name: string; description?: string | null | undefined }): Promise<GroupId> {
  const name = checkedName('group name', group.name)
  const description = checkedText('description', group.description ?? null)
  await refuseTakenName(trx, name, null)
  const id = await insertGroup(trx, { name, description })
  await appendLog(trx, groupCreated(id, { name, description }))
  return id
}

export interface GroupFields {
  name: string
  description: string | null
  effective: boolean
  managedBy: DirectoryId | null
  isProtected: boolean
}

type NewGroup = Pick<GroupFields, 'name'> & Partial<GroupFields>

const asNew = { description: null, effective: true, managedBy: null, isProtected: false }

/** What the log says of a group that was stored. */
export const groupCreated = (id: GroupId, group: NewGroup): LogEntry & { facts: { after: GroupFields } } => ({
  action: 'group.created',
  subject: id,
  facts: { after: { ...asNew, ...group } },
})

/** Stores a group as it is given: unchecked, not in the log. For those who have judged it and log their own act. */
export async function insertGroup(trx: Trx, group: NewGroup): Promise<GroupId> {
  const id = newId<GroupId>()
  await insertGroups(trx, [{ ...group, id }])
  return id
}

/** The same of several, whose ids are given. */
export async function insertGroups(trx: Trx, groups: readonly (NewGroup & { id: GroupId })[]): Promise<void> {
  const rows = groups.map((group) => {
    const { id, name, description, effective, managedBy, isProtected } = { ...asNew, ...group }
    return { id, name, name_key: nameKey(name), description, effective, managed_by: managedBy, is_protected: isProtected }
  })
  await sql`
    insert into groups (org_id, id, name, name_key, description, effective, managed_by, is_protected)
    select ${trx.orgId}::uuid, given.*
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given(
      id uuid, name text, name_key text, description text, effective boolean, managed_by uuid, is_protected boolean)`.execute(trx)
}

/** Writes fields of a group: unchecked, not in the log. For those who have judged it and log their own act. @returns the group as it was */
export async function changeGroup(trx: Trx, id: GroupId, fields: Partial<GroupFields>): Promise<GroupFields> {
  const locked = trx
    .selectFrom('groups')
    .select(fieldColumns)
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  // Sent together, one after the other: what it is said to have been is what it was.
  const [before] = await Promise.all([locked, changingGroup(trx, id, fields).execute()])
  return before
}

const fieldColumns = ['name', 'description', 'effective', 'managed_by as managedBy', 'is_protected as isProtected'] as const

/** The same as a part of a larger statement. @param counts what the group's become, where its expression `changed` changes members, too */
export function changingGroup(trx: Trx, id: GroupId, fields: Partial<GroupFields>, counts?: ApplyingPushed['counts']) {
  const { name, description, effective, managedBy, isProtected, ...rest } = fields
  rest satisfies Record<string, never>
  return trx
    .updateTable('groups')
    .$if(counts !== undefined, (update) => update.from(sql`changed`.as('changed')))
    .set({
      ...counts,
      updated_at: sql`now()`,
      ...(name === undefined ? {} : { name, name_key: nameKey(name) }),
      ...(description === undefined ? {} : { description }),
      ...(effective === undefined ? {} : { effective, ...(effective ? { deleted_at: null } : {}) }),
      ...(managedBy === undefined ? {} : { managed_by: managedBy }),
      ...(isProtected === undefined ? {} : { is_protected: isProtected }),
    })
    .where('groups.org_id', '=', trx.orgId)
    .where('groups.id', '=', id)
}

/**
 * Renames or describes a group. What changes nothing writes nothing.
 * @returns the group as it was
 * @throws Refusal `not_found`, `invalid_value`, `name_taken`, `managed_by_directory`
 */
export async function updateGroup(
  trx: Trx,
  id: GroupId,
  change: { name?: string | undefined; description?: string | null | undefined },
): Promise<LockedGroup & { description: string | null }> {
  const standing = await lockGroupFor(trx, id, [])
  const row = await trx
    .selectFrom('groups')
    .select('description')
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const before = { ...standing, id, description: row.description }
  const name = change.name === undefined ? before.name : checkedName('group name', change.name)
  const description = change.description === undefined ? before.description : checkedText('description', change.description)
  if (name !== before.name) {
    refuseUnlessMay('rename', before)
    await refuseTakenName(trx, name, id)
    await changeGroup(trx, id, { name })
    await appendLog(trx, { action: 'group.renamed', subject: id, facts: changeOf({ name: before.name }, { name }) })
  }
  if (description !== before.description) {
    refuseUnlessMay('describe', before)
    await changeGroup(trx, id, { description })
    await appendLog(trx, {
      action: 'group.updated',
      subject: id,
      facts: { name, ...changeOf({ description: before.description }, { description }) },
    })
  }
  return before
}

/**
 * Protects a group from every push, or lifts that.
 * @throws Refusal `not_found`, `managed_by_directory`
 */
export async function setProtected(trx: Trx, id: GroupId, isProtected: boolean): Promise<LockedGroup> {
  const group = { ...(await lockGroupFor(trx, id, [])), id }
  if (group.isProtected === isProtected) return group
  refuseUnlessMay('protect', group)
  await changeGroup(trx, id, { isProtected })
  await appendLog(trx, {
    action: isProtected ? 'group.protected' : 'group.unprotected',
    subject: id,
    facts: { name: group.name, ...changeOf({ isProtected: group.isProtected }, { isProtected }) },
  })
  return { ...group, isProtected }
}

/**
 * Locks a group and makes sure that this may be done to it.
 * @throws Refusal `not_found`, `managed_by_directory`, and for `delete` also `protected`
 */
export async function lockChangeableGroup(trx: Trx, id: GroupId, change: AskedOfGroup = 'change_members'): Promise<LockedGroup> {
  return { ...(await lockGroupFor(trx, id, [change])), id }
}

/**
 * Deletes a group, softly: it is not in force, nobody is in it, and its name is free. For 30 days its row stays, with its grants, and the
 * one log entry names who was in it: from the two it comes back as it was.
 * @param act the directory whose push it was, the run
 * @returns how many members it had
 * @throws Refusal `managed_by_directory`, `protected`
 */
export async function deleteGroup(trx: Trx, group: LockedGroup, by: Pick<Act, 'directoryId' | 'runId'> = {}): Promise<number> {
  refuseUnlessMay('delete', group)
  const grants = await grantsOf(trx, group.id)
  const before = await trx
    .updateTable('groups')
    .set({ effective: false, deleted_at: sql`now()`, updated_at: sql`now()` })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', group.id)
    .returning(fieldColumns)
    .executeTakeFirstOrThrow()
  const facts = { name: group.name, grants, before: { ...before, effective: true } }
  const act = { action: 'group.deleted', ...by, facts } as const
  const { removed } = await endMembers(trx, group.id, act)
  if (removed === 0) await appendLog(trx, { ...act, subject: group.id })
  return removed
}

/**
 * Has a group that was restored be deleted as it was before, since when and with whom in it: that nobody is in any more, and nobody manages.
 * @param act as `Act`, without its action
 */
export async function deleteAgain(trx: Trx, id: GroupId, act: Omit<Act, 'action'>): Promise<void> {
  const before = await changeGroup(trx, id, { effective: false })
  await sql`
    update groups set deleted_at = (
      select at from log_entries
      where org_id = ${trx.orgId} and subject = ${id} and action = 'group.deleted' and not facts ? 'again' order by id desc limit 1)
    where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
  const facts = { name: before.name, again: true, grants: await grantsOf(trx, id), before }
  await appendLog(trx, { ...act, action: 'group.deleted', subject: id, facts })
}

/** What the log says of a deleted group that is in force again, perhaps under another name: with what grants. */
export async function groupRestored(trx: Trx, id: GroupId, was: string, name = was): Promise<LogEntry> {
  const facts = { name, grants: await grantsOf(trx, id), ...changeOf({ effective: false, name: was }, { effective: true, name }) }
  return { action: 'group.restored', subject: id, facts }
}

const grantsOf = (reader: Reader, id: GroupId) =>
  reader
    .selectFrom('grants')
    .select(['role_id as roleId', 'is_default as isDefault'])
    .where('org_id', '=', reader.orgId)
    .where('group_id', '=', id)
    .orderBy('role_id')
    .execute()

/** Deletes for good those of these groups that were deleted, with what was kept of them. @returns what they were called */
export async function purgeGroups(trx: Trx, ids: readonly GroupId[]): Promise<string[]> {
  const rows = await trx
    .deleteFrom('groups')
    .where('org_id', '=', trx.orgId)
    .where('id', '=', sql<GroupId>`any(${ids}::uuid[])`)
    .where('deleted_at', 'is not', null)
    .returning(['id', ...fieldColumns])
    .execute()
  await appendLogs(
    trx,
    rows.map(({ id, ...before }) => ({ action: 'group.purged' as const, subject: id, facts: { name: before.name, before } })),
  )
  return rows.map(({ name }) => name)
}

/** A directory no longer manages these groups, which stay as they are, with the log. @returns what those of them are called that it did */
export async function unmanageGroups(trx: Trx, from: DirectoryId, ids: readonly GroupId[]): Promise<string[]> {
  const { rows } = await sql<{ id: GroupId; name: string }>`
    update groups set managed_by = null, updated_at = now()
    where org_id = ${trx.orgId} and id = any(${ids}::uuid[]) and managed_by = ${from} returning id, name`.execute(trx)
  await appendLogs(
    trx,
    rows.map(({ id, name }) => ({
      action: 'group.unmanaged' as const,
      subject: id,
      directoryId: from,
      facts: { name, before: { managedBy: from }, after: { managedBy: null } },
    })),
  )
  return rows.map(({ name }) => name)
}

/** Deletes groups' rows, as `deleteGroupRow` does one. */
export async function deleteGroupRows(trx: Trx, ids: readonly GroupId[]): Promise<void> {
  const rows = await trx
    .deleteFrom('groups')
    .where('org_id', '=', trx.orgId)
    .where('id', '=', sql<GroupId>`any(${ids}::uuid[])`)
    .returning(['id', ...fieldColumns])
    .execute()
  await appendLogs(
    trx,
    rows.map(({ id, ...before }) => ({ action: 'group.deleted' as const, subject: id, facts: { before } })),
  )
}

/** Deletes a group's row, with memberships and grants, which `facts` name: unchecked. The log has it as it was. */
export async function deleteGroupRow(trx: Trx, id: GroupId, facts: Record<string, unknown> = {}): Promise<void> {
  const before = await trx
    .deleteFrom('groups')
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .returning(fieldColumns)
    .executeTakeFirstOrThrow()
  await appendLog(trx, { action: 'group.deleted', subject: id, facts: { ...facts, before } })
}

// Counts are subqueries in the list of columns: PostgreSQL computes them for the rows of the page alone.
const groupColumns = sql`
  g.id, g.name, g.description, g.member_count as "memberCount", g.is_protected as "isProtected",
  (select count(*)::integer from grants r where r.org_id = g.org_id and r.group_id = g.id) as "grantCount",
  exists (select from grants r where r.org_id = g.org_id and r.group_id = g.id and r.is_default) as "isDefaultAccess",
  case when m.id is not null then json_build_object('id', m.id, 'name', m.name) end as "managedBy",
  case when d.id is not null then json_build_object('id', d.id, 'name', d.name, 'state', p.state) end as "pushedBy",
  g.created_at as "createdAt", g.updated_at as "updatedAt"`

const groupTables = sql`
  groups g
  left join directories m on m.org_id = g.org_id and m.id = g.managed_by
  left join provisioned_groups p on p.org_id = g.org_id and p.group_id = g.id
  left join directories d on d.org_id = p.org_id and d.id = p.directory_id`

/**
 * Finds a group that is in force, by id or by name.
 * @throws Refusal `not_found`
 */
export async function findGroup(reader: Reader, idOrName: string): Promise<Group> {
  const id = isId(idOrName) ? idOrName : null
  const { rows } = await sql<Group>`
    select ${groupColumns} from ${groupTables}
    where g.org_id = ${reader.orgId} and g.effective and (g.id = ${id}::uuid or g.name_key = ${nameKey(idOrName)})
    order by g.id = ${id}::uuid desc nulls last limit 1`.execute(reader)
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such group.', { group: idOrName })
  return rows[0]
}

export interface GroupFilter {
  /** Groups that this directory manages; null: that none manages. */
  managedBy?: DirectoryId | null | undefined
  isProtected?: boolean | undefined
  isDefaultAccess?: boolean | undefined
}

const sortColumns = {
  name: 'g.name_key',
  members: 'g.member_count',
  grants: '"grantCount"',
  managedBy: 'm.name_key',
  createdAt: 'g.created_at',
  updatedAt: 'g.updated_at',
}

/** Lists the groups that are in force, searched in name and description. */
export function listGroups(reader: Reader, listing: Listing, filter: GroupFilter = {}): Promise<Listed<Group>> {
  return list(reader, listing, {
    columns: groupColumns,
    from: sql`${groupTables}
      where g.org_id = ${reader.orgId} and g.effective and ${found(listing, 'g.name_key', 'lower(g.description)')}
        and (not ${filter.managedBy !== undefined}::boolean or g.managed_by is not distinct from ${filter.managedBy ?? null}::uuid)
        and (${filter.isProtected ?? null}::boolean is null or g.is_protected = ${filter.isProtected ?? null}::boolean)
        and (${filter.isDefaultAccess ?? null}::boolean is null or ${filter.isDefaultAccess ?? null}::boolean = exists (
          select from grants r where r.org_id = g.org_id and r.group_id = g.id and r.is_default))`,
    sorts: sortColumns,
    usual: 'name',
    last: 'g.id',
  })
}

/** A group of a file: no description says nothing about a group that exists. */
export interface GivenGroup {
  name: string
  description: string | null
}

/**
 * Sees to it that these groups exist and, unless a directory manages them, have these descriptions. Names are checked and
 * each is given once. One set of statements, whatever their number; all in the log.
 */
export async function ensureGroups(trx: Trx, given: readonly GivenGroup[]): Promise<Ensured<GroupId>> {
  const rows = given.map((group) => ({ ...group, id: newId<GroupId>(), key: nameKey(group.name) }))
  const table = sql`unnest(
    ${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => row.name)}::text[], ${rows.map((row) => row.key)}::text[],
    ${rows.map((row) => row.description)}::text[]
  ) as given(id, name, name_key, description)`
  // Locked as they are read: what the log says they were is what they were.
  const updated = await sql<{ id: GroupId; key: string; name: string; before: string | null; after: string }>`
    select g.id, g.name_key as key, g.name, g.description as before, given.description as after
    from groups g, ${table}
    where g.org_id = ${trx.orgId} and g.name_key = given.name_key and g.effective and g.managed_by is null
      and given.description is not null and given.description is distinct from g.description
    order by g.id for no key update of g`.execute(trx)
  await sql`
    update groups g set description = given.description, updated_at = now()
    from unnest(${updated.rows.map(({ id }) => id)}::uuid[], ${updated.rows.map(({ after }) => after)}::text[]) as given(id, description)
    where g.org_id = ${trx.orgId} and g.id = given.id`.execute(trx)
  const created = await sql<{ id: GroupId; key: string }>`
    insert into groups (org_id, id, name, name_key, description)
    select ${trx.orgId}::uuid, given.* from ${table}
    where not exists (select from groups g where g.org_id = ${trx.orgId} and g.name_key = given.name_key and g.effective)
    returning id, name_key as key`.execute(trx)
  const fields = new Map(rows.map(({ key, name, description }) => [key, { name, description }]))
  await appendLogs(trx, [
    ...created.rows.map(({ id, key }) => groupCreated(id, fields.get(key) as GivenGroup)),
    ...updated.rows.map(({ id, name, before, after }) => ({
      action: 'group.updated' as const,
      subject: id,
      facts: { name, before: { description: before }, after: { description: after } },
    })),
  ])
  return { created: created.rows, updated: updated.rows }
}

/** The groups in force of these name keys; a key that none has is not in the answer. */
export async function groupIdsByKey(reader: Reader, keys: readonly string[]): Promise<Map<string, GroupId>> {
  const { rows } = await sql<{ id: GroupId; key: string }>`
    select id, name_key as key from groups
    where org_id = ${reader.orgId} and name_key = any(${keys}::text[]) and effective`.execute(reader)
  return new Map(rows.map((row) => [row.key, row.id]))
}

function refuseUnlessMay(change: AskedOfGroup, group: GroupStanding): void {
  const refusal = whyNotChangeGroup(change, group)
  if (refusal) throw refusal
}

async function refuseTakenName(trx: Trx, name: string, except: GroupId | null): Promise<void> {
  const { rows } = await sql`
    select from groups where org_id = ${trx.orgId} and name_key = ${nameKey(name)} and effective and id is distinct from ${except}::uuid`.execute(
    trx,
  )
  if (rows.length > 0) throw new Refusal('name_taken', `A group named "${name}" already exists. Choose another name.`, { name })
}
