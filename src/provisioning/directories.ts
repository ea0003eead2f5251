import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, isId, newId, type RunId } from '../database/ids.ts'
import {
  type ConflictPolicy,
  conflictPolicies,
  type DeletedGroups,
  deletedGroupsSettings,
  type NestedGroups,
  nestedGroupsSettings,
  type OfferExistingGroups,
  offerSettings,
  type UnknownMembers,
  unknownMembersSettings,
} from '../database/tables.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'
import { appendLog, changeOf } from '../organization/log.ts'
import { nameKey } from '../organization/name-key.ts'
import { checkedName } from '../organization/name-rules.ts'
import { Refusal } from '../organization/refusal.ts'
import { type Provider, providers } from '../scim/quirks.ts'
import { checkLimits, type GuardLimits, type GuardRow, guardColumns, limitColumns, limitsOf, usualGuard } from './guard-limits.ts'

/** What a push needs to know of its directory: who sends, and what was settled about conflicts and strangers. */
export interface DirectoryContext {
  id: DirectoryId
  name: string
  provider: Provider
  conflictPolicy: ConflictPolicy
  unknownMembers: UnknownMembers
  /** What becomes of a member that is a group of the directory: its members are in, or the push is refused. */
  nestedGroups: NestedGroups
  /** What becomes of a synced group that the provider deletes: it stays and is unmanaged, or is deleted, restorable. */
  deletedGroups: DeletedGroups
  /** Whether a push of attributes that no schema has is refused; else they are passed over. */
  strict: boolean
  /** Whether it is shown unmanaged groups of the organization, so that a provider can link to them. */
  offerExistingGroups: OfferExistingGroups
  /** For how many seconds after its last member a group that is not synced counts as filling; 0 is never. */
  quietSeconds: number
  /** Lower case; empty is all. */
  emailDomains: string[]
  /** Whether nothing of what it pushes becomes effective until it goes live. As it was read: a write asks `observes`. */
  observing: boolean
  /** Since when its writes are refused; null: they are not. */
  pausedAt: Date | null
}

export interface Directory extends DirectoryContext, GuardLimits {
  createdAt: Date
}

/** What an admin sets of a directory. */
export type DirectorySettings = Omit<DirectoryContext, 'id' | 'observing' | 'pausedAt'> & GuardLimits

const columns = [
  'id',
  'name',
  'provider',
  'conflict_policy',
  'unknown_members',
  'nested_groups',
  'deleted_groups',
  'strict',
  'offer_existing_groups',
  'quiet_seconds',
  'email_domains',
  ...Object.values(guardColumns),
  'observing',
  'paused_at',
  'created_at',
] as const

/** Makes a directory; what is not said has the provider's default.
 * @throws Refusal `invalid_value`, `name_taken` */
export async function createDirectory(
  trx: Trx,
  {
    observing = false,
    ...given
  }: Partial<DirectorySettings> & Pick<DirectorySettings, 'name' | 'provider'> & { observing?: boolean },
): Promise<Directory> {
  const settings = checked({ ...defaultsOf(given.provider), ...given })
  await refuseTaken(trx, settings.name)
  const id = newId<DirectoryId>()
  const row = await trx
    .insertInto('directories')
    .values({ org_id: trx.orgId, id, ...valuesOf(settings), observing })
    .returning(columns)
    .executeTakeFirstOrThrow()
  await appendLog(trx, {
    action: 'directory.created',
    subject: id,
    directoryId: id,
    facts: { after: { ...settings, ...(observing ? { observing } : {}) } },
  })
  return directoryOf(row)
}

/** Changes the settings that are given; what changes nothing writes nothing.
 * @throws Refusal `invalid_value`, `name_taken` */
export async function updateDirectory(
  trx: Trx,
  id: DirectoryId,
  change: Partial<Omit<DirectorySettings, 'provider'>>,
): Promise<Directory> {
  const row = await trx
    .selectFrom('directories')
    .select(columns)
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .where('disconnected_at', 'is', null)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw noSuchDirectory()
  const before = settingsOf(directoryOf(row))
  const after = checked({ ...before, ...change })
  const changed = changeOf(before, after)
  if (Object.keys(changed.after).length === 0) return directoryOf(row)
  if (nameKey(after.name) !== nameKey(before.name)) await refuseTaken(trx, after.name)
  const written = await trx
    .updateTable('directories')
    .set({
      ...valuesOf(after),
      updated_at: sql`now()`,
      ...(changed.after.conflictPolicy === undefined ? {} : { conflict_policy_since: sql`now()` }),
    })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()
  await appendLog(trx, { action: 'directory.updated', subject: id, directoryId: id, facts: { name: after.name, ...changed } })
  return directoryOf(written)
}

/** Finds a directory by its id or its name. @throws Refusal `not_found`, the same for a foreign one */
export const findDirectory = (reader: Reader, idOrName: string): Promise<Directory> =>
  directoryCalled(reader, idOrName, sql`disconnected_at is null`)

/** The same, or one that was disconnected, the last of its name: what was sent with its tokens, and done by it, is still asked for. */
export const directoryEver = (reader: Reader, idOrName: string): Promise<Directory> =>
  directoryCalled(reader, idOrName, sql`true`)

async function directoryCalled(reader: Reader, idOrName: string, which: RawBuilder<unknown>): Promise<Directory> {
  const row = await reader
    .selectFrom('directories')
    .select(columns)
    .where('org_id', '=', reader.orgId)
    .where(sql<boolean>`${which}`)
    .where((eb) =>
      isId(idOrName)
        ? eb.or([eb('id', '=', idOrName as DirectoryId), eb('name_key', '=', nameKey(idOrName))])
        : eb('name_key', '=', nameKey(idOrName)),
    )
    // An id goes before a directory that somebody named like one.
    .orderBy(sql`id::text = ${idOrName.toLowerCase()}`, 'desc')
    .orderBy('disconnected_at', (order) => order.desc().nullsFirst())
    .executeTakeFirst()
  if (!row) throw noSuchDirectory()
  return directoryOf(row)
}

/** What the directory's cursors are sealed with: 32 bytes, never shown. */
export async function cursorKeyOf(reader: Reader, id: DirectoryId): Promise<Buffer> {
  const row = await reader
    .selectFrom('directories')
    .select('cursor_key')
    .where('org_id', '=', reader.orgId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw noSuchDirectory()
  return row.cursor_key
}

/** The organization's directories, sorted by name or createdAt. @throws Refusal `invalid_value` for another sort */
export async function listDirectories(reader: Reader, listing: Listing): Promise<Listed<Directory>> {
  const { total, items } = await list<Row>(reader, listing, {
    columns: sql.raw(columns.join(', ')),
    from: sql`directories where org_id = ${reader.orgId} and disconnected_at is null and ${found(listing, 'name_key')}`,
    sorts: { name: 'name_key', createdAt: 'created_at' },
    usual: 'name',
    last: 'id',
  })
  return { total, items: items.map(directoryOf) }
}

/** A directory that was disconnected. `left`: what it pushed that is not let go of yet. */
export interface DisconnectedDirectory {
  id: DirectoryId
  name: string
  provider: Provider
  disconnectedAt: Date
  left: { groups: number; people: number }
}

/** The directories that were disconnected, sorted by -disconnectedAt or name. */
export const listDisconnected = (reader: Reader, listing: Listing): Promise<Listed<DisconnectedDirectory>> =>
  list(reader, listing, {
    columns: sql`d.id, d.name, d.provider, d.disconnected_at as "disconnectedAt", json_build_object(
      'groups', (select count(*) from provisioned_groups p where p.org_id = d.org_id and p.directory_id = d.id),
      'people', (select count(*) from provisioned_users u where u.org_id = d.org_id and u.directory_id = d.id)) as left`,
    from: sql`directories d where d.org_id = ${reader.orgId} and d.disconnected_at is not null and ${found(listing, 'd.name_key')}`,
    sorts: { name: 'd.name_key', disconnectedAt: 'd.disconnected_at' },
    usual: '-disconnectedAt',
    last: 'd.id',
  })

/**
 * Those of these directories that are connected, as rows of id, and stay so for as long as the transaction takes: a part of the statement
 * that stores users or groups of one. A token is believed for some seconds after it was revoked.
 */
export const connectedOf = (trx: Trx, ids: readonly DirectoryId[]): RawBuilder<unknown> => sql`
  select id from directories where org_id = ${trx.orgId} and id = any(${ids}::uuid[]) and disconnected_at is null for key share`

/**
 * Whether a directory is observing, which it stays for as long as the transaction takes: who goes live waits for those that have asked.
 * One that is gone is not.
 */
export async function observes(trx: Trx, id: DirectoryId): Promise<boolean> {
  const { rows } = await sql<{ observing: boolean }>`
    select observing from directories where org_id = ${trx.orgId} and id = ${id} for key share`.execute(trx)
  return rows[0]?.observing ?? false
}

/** Notes that a directory is live: what it pushes is in force from now on. The caller has locked it behind all that push. */
export async function setLive(trx: Trx, { id, name }: { id: DirectoryId; name: string }, runId: RunId): Promise<void> {
  await trx
    .updateTable('directories')
    .set({ observing: false, updated_at: sql`now()` })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .execute()
  const facts = { name, before: { observing: true }, after: { observing: false } }
  await appendLog(trx, { action: 'directory.went_live', subject: id, directoryId: id, runId, facts })
}

/** Pauses a directory, or lets it go on. What is so already writes nothing. @throws Refusal `not_found` */
export async function setPaused(trx: Trx, id: DirectoryId, isPaused: boolean): Promise<Directory> {
  await lockDirectory(trx, id)
  const before = await findDirectory(trx, id)
  if ((before.pausedAt !== null) === isPaused) return before
  const written = await trx
    .updateTable('directories')
    .set({ paused_at: isPaused ? sql`now()` : null, updated_at: sql`now()` })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()
  const { name } = before
  await appendLog(trx, {
    action: isPaused ? 'directory.paused' : 'directory.resumed',
    subject: id,
    directoryId: id,
    facts: { name },
  })
  return directoryOf(written)
}

/** @throws Refusal `directory_observing` */
export async function refuseObserving(reader: Reader, id: DirectoryId): Promise<void> {
  const { name, observing } = await findDirectory(reader, id)
  if (!observing) return
  throw new Refusal(
    'directory_observing',
    `${name} is observing: nothing it pushes becomes effective yet. Look at its report, then go live.`,
    { directory: name },
  )
}

/** @throws Refusal `directory_disconnected` where not all was stored */
export function mustBeStored(stored: number, given: number): void {
  if (stored < given) throw new Refusal('directory_disconnected', 'The directory is disconnected.')
}

/** Locks a directory that is to be disconnected, behind all that store users and groups of it. @throws Refusal `not_found` */
export const lockToDisconnect = (trx: Trx, id: DirectoryId): Promise<void> => lock(trx, id, 'update')

/** Notes that a directory is disconnected: it has its name no more, and only what refers to it finds it. */
export async function setDisconnected(trx: Trx, id: DirectoryId): Promise<void> {
  await trx
    .updateTable('directories')
    .set({ disconnected_at: sql`now()`, updated_at: sql`now()` })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .execute()
}

/** Locks a directory: the first lock of what changes things under it (rule 12). Pushes, whose rows refer to it, go on. @throws Refusal `not_found` */
export const lockDirectory = (trx: Trx, id: DirectoryId): Promise<void> => lock(trx, id, 'no key update')

async function lock(trx: Trx, id: DirectoryId, mode: 'update' | 'no key update'): Promise<void> {
  const { rows } = await sql`
    select from directories where org_id = ${trx.orgId} and id = ${id} and disconnected_at is null for ${sql.raw(mode)}`.execute(
    trx,
  )
  if (rows.length === 0) throw noSuchDirectory()
}

const noSuchDirectory = (): Refusal => new Refusal('not_found', 'There is no such directory. List them to see their names.')

/** Entra fills its groups in pieces, up to an hour apart; the others at once. */
function defaultsOf(provider: Provider): Omit<DirectorySettings, 'name' | 'provider'> {
  return {
    conflictPolicy: 'review',
    unknownMembers: 'record',
    nestedGroups: 'flatten',
    deletedGroups: 'unmanage',
    strict: false,
    offerExistingGroups: 'names',
    quietSeconds: provider === 'entra' ? 3_600 : 120,
    emailDomains: [],
    ...usualGuard,
  }
}

const domain = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

function checked(settings: DirectorySettings): DirectorySettings {
  const name = checkedName('name of the directory', settings.name)
  if (!providers.includes(settings.provider)) throw invalid(`The provider is one of ${providers.join(', ')}.`)
  if (!conflictPolicies.includes(settings.conflictPolicy)) throw invalid('The conflict policy is review, overwrite or refuse.')
  if (!unknownMembersSettings.includes(settings.unknownMembers)) throw invalid('Unknown members are to be record or refuse.')
  if (!nestedGroupsSettings.includes(settings.nestedGroups)) throw invalid('Nested groups are to be flatten or refuse.')
  if (!deletedGroupsSettings.includes(settings.deletedGroups)) throw invalid('Deleted groups are to be unmanage or delete.')
  if (!offerSettings.includes(settings.offerExistingGroups))
    throw invalid('Of existing groups names, members or nothing (off) can be offered.')
  const { quietSeconds } = settings
  if (!Number.isInteger(quietSeconds) || quietSeconds < 0 || quietSeconds > 86_400)
    throw invalid('The quiet time is 0 to 86400 seconds.')
  checkLimits(settings)
  const emailDomains = [...new Set(settings.emailDomains.map((given) => given.trim().toLowerCase().replace(/^@/, '')))].sort()
  const wrong = emailDomains.find((given) => !domain.test(given))
  if (wrong !== undefined) throw invalid(`"${wrong.slice(0, 100)}" is no e-mail domain. Write it as example.org.`)
  if (emailDomains.length > 1_000) throw invalid('A directory has at most 1000 e-mail domains.')
  return { ...settings, name, emailDomains }
}

const invalid = (message: string): Refusal => new Refusal('invalid_value', message)

async function refuseTaken(trx: Trx, name: string): Promise<void> {
  const taken = await trx
    .selectFrom('directories')
    .select('id')
    .where('org_id', '=', trx.orgId)
    .where('name_key', '=', nameKey(name))
    .where('disconnected_at', 'is', null)
    .executeTakeFirst()
  if (taken) throw new Refusal('name_taken', `A directory named "${name}" already exists. Take another name.`, { name })
}

function valuesOf(settings: DirectorySettings) {
  return {
    name: settings.name,
    name_key: nameKey(settings.name),
    provider: settings.provider,
    conflict_policy: settings.conflictPolicy,
    unknown_members: settings.unknownMembers,
    nested_groups: settings.nestedGroups,
    deleted_groups: settings.deletedGroups,
    strict: settings.strict,
    offer_existing_groups: settings.offerExistingGroups,
    quiet_seconds: settings.quietSeconds,
    email_domains: settings.emailDomains,
    ...limitColumns(settings),
  }
}

const settingsOf = ({ id: _, createdAt: __, observing: ___, pausedAt: ____, ...settings }: Directory): DirectorySettings =>
  settings

interface Row extends GuardRow {
  id: DirectoryId
  name: string
  provider: string
  conflict_policy: ConflictPolicy
  unknown_members: UnknownMembers
  nested_groups: NestedGroups
  deleted_groups: DeletedGroups
  strict: boolean
  offer_existing_groups: OfferExistingGroups
  quiet_seconds: number
  email_domains: string[]
  observing: boolean
  paused_at: Date | null
  created_at: Date
}

function directoryOf(row: Row): Directory {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider as Provider,
    conflictPolicy: row.conflict_policy,
    unknownMembers: row.unknown_members,
    nestedGroups: row.nested_groups,
    deletedGroups: row.deleted_groups,
    strict: row.strict,
    offerExistingGroups: row.offer_existing_groups,
    quietSeconds: row.quiet_seconds,
    emailDomains: row.email_domains,
    ...limitsOf(row),
    observing: row.observing,
    pausedAt: row.paused_at,
    createdAt: row.created_at,
  }
}
