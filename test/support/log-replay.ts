import { sql } from 'kysely'
import type { Reader } from '../../src/database/connection.ts'

// The log read as docs/reference-log.md has it: what there is, by kind and id, and an entry done to it or undone.

/** `kind id` → fields. */
export type State = Map<string, Record<string, unknown>>

export interface Entry {
  id: string
  action: string
  subject: string
  directoryId: string | null
  facts: {
    before?: Fields | undefined
    after?: Fields | undefined
    roleId?: string
    grants?: { roleId: string; isDefault: boolean }[]
    added?: Named[] | undefined
    removed?: Named[] | undefined
  }
  added: string[] | null
  removed: string[] | null
  pushedAdded: string[] | null
  pushedRemoved: string[] | null
}
type Fields = Record<string, unknown>
/** A child's id, or an unknown member. */
type Named = string | { value: string; display: string | null }

export async function entriesAfter(reader: Reader, id: string): Promise<Entry[]> {
  const { rows } = await sql<Entry>`
    select id, action, subject, directory_id as "directoryId", facts, added, removed, pushed_added as "pushedAdded", pushed_removed as "pushedRemoved"
    from log_entries where org_id = ${reader.orgId} and id > ${id}::bigint order by id`.execute(reader)
  return rows
}

/** Which kind of thing an entry's subject is. */
function kindOf({ action }: Entry): string | undefined {
  const [noun = ''] = action.split('.')
  if (/^group\.(provision|state)/.test(action)) return 'pushed group'
  const kinds: Record<string, string> = { user: 'pushed user', grant: 'grant', token: 'token' }
  if (['account', 'group', 'directory', 'site', 'product', 'role', 'organization', 'user', 'grant', 'token'].includes(noun))
    return kinds[noun] ?? noun
  return undefined
}

export function undo(state: State, entry: Entry): void {
  apply(
    state,
    entry,
    {
      ...entry.facts,
      before: entry.facts.after,
      after: entry.facts.before,
      added: entry.facts.removed,
      removed: entry.facts.added,
    },
    { added: entry.removed, removed: entry.added, pushedAdded: entry.pushedRemoved, pushedRemoved: entry.pushedAdded },
  )
}

export const redo = (state: State, entry: Entry): void => apply(state, entry, entry.facts, entry)

type Members = Pick<Entry, 'added' | 'removed' | 'pushedAdded' | 'pushedRemoved'>

function apply(state: State, entry: Entry, facts: Entry['facts'], members: Members): void {
  const { action, subject, directoryId } = entry
  if (action === 'group.nesting_changed') nest(state, subject, facts)
  else if (action === 'members.named') changeNamed(state, subject, members)
  else if (action === 'members.unknown' || action === 'members.no_longer_unknown') changeUnknown(state, entry, facts)
  else changeMembers(state, subject, members)
  const kind = kindOf(entry)
  if (action === 'group.deleted' || action === 'group.restored') {
    if (softly(state, subject, entry, facts)) return
  }
  if (kind === undefined || (facts.before === undefined && facts.after === undefined)) return
  const key = kind === 'grant' ? `grant ${subject} ${facts.roleId}` : `${kind} ${subject}`
  if (facts.after === undefined) {
    expect(state.has(key), `${action} of what is not there: ${key}`)
    state.delete(key)
  } else if (facts.before === undefined)
    state.set(key, {
      ...facts.after,
      ...(kind.startsWith('pushed') ? { directoryId } : {}),
      ...(kind === 'group' ? { isDeleted: false } : {}),
    })
  else state.set(key, merged(state.get(key) ?? {}, facts.before, facts.after))
  // A group's grants go with it, and come back with it.
  for (const { roleId, isDefault } of facts.grants ?? [])
    if (facts.after === undefined) state.delete(`grant ${subject} ${roleId}`)
    else state.set(`grant ${subject} ${roleId}`, { isDefault })
}

// A group that was in force keeps its row and its grants when it is deleted.
function softly(state: State, id: string, { action, facts: said }: Entry, { before, after }: Entry['facts']): boolean {
  if (action === 'group.deleted' && said.before?.effective !== true) return false
  const isGone = action === 'group.deleted' ? after === undefined : after?.effective === false
  const fields = { ...(action === 'group.deleted' ? (after ?? before) : after), effective: !isGone, isDeleted: isGone }
  state.set(`group ${id}`, { ...state.get(`group ${id}`), ...fields })
  return true
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

function merged(have: Fields, before: Fields, after: Fields): Fields {
  const next = { ...have, ...after }
  if (after.attributes === undefined) return next
  const attributes = { ...(have.attributes as Fields) }
  for (const key of Object.keys(before.attributes as Fields)) delete attributes[key]
  return { ...next, attributes: { ...attributes, ...(after.attributes as Fields) } }
}

function changeMembers(state: State, group: string, { added, removed, pushedAdded, pushedRemoved }: Members): void {
  const set = (accounts: string[] | null, truth: string, is: boolean) => {
    for (const account of accounts ?? []) {
      const key = `membership ${group} ${account}`
      const have = state.get(key) ?? { pushed: false, effective: false }
      expect(have[truth] !== is, `${key} is ${truth} ${is} already`)
      const next = { ...have, [truth]: is }
      if (next.pushed || next.effective) state.set(key, next)
      else state.delete(key)
    }
  }
  set(added, 'effective', true)
  set(removed, 'effective', false)
  set(pushedAdded, 'pushed', true)
  set(pushedRemoved, 'pushed', false)
}

function nest(state: State, parent: string, { added = [], removed = [] }: Entry['facts']): void {
  for (const child of removed) state.delete(`nesting ${parent} ${child}`)
  for (const child of added) state.set(`nesting ${parent} ${child}`, {})
}

function changeNamed(state: State, id: string, { pushedAdded, pushedRemoved }: Members): void {
  for (const account of pushedAdded ?? []) state.set(`named ${id} ${account}`, {})
  for (const account of pushedRemoved ?? []) state.delete(`named ${id} ${account}`)
}

function changeUnknown(state: State, { subject }: Entry, { added = [], removed = [] }: Entry['facts']): void {
  for (const { value, display } of added as { value: string; display: string | null }[])
    state.set(`unknown ${subject} ${value}`, { display })
  for (const { value } of removed as { value: string }[]) state.delete(`unknown ${subject} ${value}`)
}

/** What is in the database, in the log's words. */
export async function stateOf(reader: Reader): Promise<State> {
  const all = Object.entries(tables).map(
    ([kind, { table, key, fields }]) => sql`
    select ${kind === 'API token' ? 'token' : kind}::text || ' ' || concat_ws(' ', ${sql.raw(key)}) as key, json_build_object(${sql.raw(fields)})::jsonb as fields
    from ${sql.table(table)} where org_id = ${reader.orgId}`,
  )
  const { rows } = await sql<{ key: string; fields: Fields }>`${sql.join(all, sql` union all `)}`.execute(reader)
  return new Map(rows.map(({ key, fields }) => [key, fields]))
}

const described = (...names: string[]) =>
  names.map((name) => `'${name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())}', ${name}`).join(', ')
const token = `'hint', hint, 'expiresAt', to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'isRevoked', revoked_at is not null`

/** What the log is about, and what of it. */
const tables: Record<string, { table: string; key: string; fields: string }> = {
  account: {
    table: 'accounts',
    key: 'id',
    fields: described('user_name', 'email', 'display_name', 'active', 'is_protected', 'owned_by'),
  },
  group: {
    table: 'groups',
    key: 'id',
    fields: `${described('name', 'description', 'effective', 'managed_by', 'is_protected')}, 'isDeleted', deleted_at is not null`,
  },
  membership: { table: 'memberships', key: 'group_id, account_id', fields: described('pushed', 'effective') },
  site: { table: 'sites', key: 'id', fields: described('name') },
  product: { table: 'products', key: 'id', fields: described('site_id', 'name') },
  role: { table: 'product_roles', key: 'id', fields: described('product_id', 'name', 'is_administrative') },
  grant: { table: 'grants', key: 'group_id, role_id', fields: described('is_default') },
  directory: {
    table: 'directories',
    key: 'id',
    fields: described(
      'name',
      'provider',
      'conflict_policy',
      'unknown_members',
      'nested_groups',
      'strict',
      'offer_existing_groups',
      'quiet_seconds',
      'email_domains',
      'deleted_groups',
    ),
  },
  token: { table: 'directory_tokens', key: 'id', fields: token },
  'API token': { table: 'api_tokens', key: 'id', fields: `${token}, ${described('name', 'role')}` },
  'pushed user': {
    table: 'provisioned_users',
    key: 'id',
    fields: described(
      'directory_id',
      'user_name',
      'external_id',
      'active',
      'attributes',
      'account_id',
      'matched_by',
      'state',
      'reasons',
    ),
  },
  'pushed group': {
    table: 'provisioned_groups',
    key: 'id',
    fields: described('directory_id', 'name', 'external_id', 'group_id', 'state', 'reasons', 'is_linked', 'keeps_name'),
  },
  unknown: { table: 'unknown_members', key: 'provisioned_group_id, value', fields: described('display') },
  nesting: { table: 'nested_groups', key: 'parent_id, child_id', fields: '' },
  named: { table: 'direct_members', key: 'provisioned_group_id, account_id', fields: '' },
}

/** Rows that a transaction, or a part of one after a savepoint, without a log entry has written last; of tokens it is written when they were used. */
export async function writtenUnseen(reader: Reader): Promise<string[]> {
  const others = ['taken_offers', 'provisioned_emails']
  const all = [...Object.values(tables).map(({ table }) => table), ...others]
    .filter((table) => !table.endsWith('tokens'))
    .map(
      (table) => sql`
    select ${table}::text || ' ' || row::text as row from ${sql.table(table)} as row
    where org_id = ${reader.orgId} and not exists (
      select from log_entries l where l.org_id = ${reader.orgId} and row.xmin in (l.xid::xid, l.xmin))`,
    )
  const { rows } = await sql<{ row: string }>`${sql.join(all, sql` union all `)}`.execute(reader)
  return rows.map(({ row }) => row)
}
