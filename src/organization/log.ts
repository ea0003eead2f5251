import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId, DirectoryId, RunId } from '../database/ids.ts'

/** What is done to the organization; each act is one entry, in the past tense, `noun.verb`. What each says: docs/reference-log.md. */
export type Action =
  | 'organization.created'
  | 'organization.updated'
  | 'account.created'
  | 'account.updated'
  | 'account.switched_off'
  | 'account.switched_on'
  | 'account.protected'
  | 'account.unprotected'
  | 'account.forgotten'
  | 'group.created'
  | 'group.updated'
  | 'group.renamed'
  | 'group.deleted'
  | 'group.restored'
  | 'group.purged'
  | 'group.protected'
  | 'group.unprotected'
  | 'group.managed'
  | 'group.unmanaged'
  | 'group.provisioned'
  | 'group.provision_updated'
  | 'group.provision_deleted'
  | 'group.nesting_changed'
  | 'group.offer_declined'
  | 'group.paired'
  | 'group.linked'
  | 'group.unlinked'
  | 'group.name_kept'
  | 'suggestion.rejected'
  | 'suggestion.allowed'
  | 'group.state_changed'
  | 'group.synced'
  | 'removal.held'
  | 'removal.allowed'
  | 'removal.rejected'
  | 'removal.withdrawn'
  | 'members.changed'
  | 'members.pushed'
  | 'members.named'
  | 'members.unknown'
  | 'members.no_longer_unknown'
  | 'site.created'
  | 'product.created'
  | 'role.created'
  | 'grant.added'
  | 'grant.removed'
  | 'grant.made_default'
  | 'grant.stopped_default'
  | 'user.provisioned'
  | 'user.updated'
  | 'user.state_changed'
  | 'user.linked'
  | 'user.deleted'
  | 'directory.created'
  | 'directory.updated'
  | 'directory.went_live'
  | 'directory.paused'
  | 'directory.resumed'
  | 'directory.reset'
  | 'directory.disconnected'
  | 'directory.reconciled'
  | 'webhook.created'
  | 'webhook.updated'
  | 'webhook.deleted'
  | 'token.created'
  | 'token.revoked'
  | 'admin.added'
  | 'admin.changed'
  | 'admin.removed'
  | 'provider.added'
  | 'provider.changed'
  | 'provider.removed'
  | 'identity.connected'
  | 'passkey.added'
  | 'passkey.removed'
  | 'link.created'
  | 'session.started'
  | 'session.ended'
  | 'import.finished'
  | 'review.viewed'
  | 'review.unviewed'
  | 'run.started'
  | 'run.approval_asked'
  | 'run.approved'
  | 'run.rejected'
  | 'run.withdrawn'
  | 'run.expired'
  | 'run.stopped'
  | 'run.finished'
  | 'push.saved'
  | 'push.removed'
  | 'push.started'
  | 'push.finished'

/**
 * What an entry says besides who, when and in which request, which come from the transaction. `facts.before` and `facts.after` have the
 * fields of the subject that became other, and all of them where it came to be or went: an entry can be undone from itself alone.
 */
export interface Act {
  action: Action
  subject?: string | null
  directoryId?: DirectoryId | null
  runId?: RunId | null
  /** The request it comes of, where the transaction does what several ask for. */
  requestId?: string | null | undefined
  facts?: Record<string, unknown>
}

export interface LogEntry extends Act {
  /** Accounts that became, or ceased to be, effective members. */
  added?: AccountId[]
  removed?: AccountId[]
  pushedAdded?: AccountId[]
  pushedRemoved?: AccountId[]
}

/** The fields that are given as they are to be and are not so yet, before and after. */
export function changeOf<Fields extends object>(have: Fields, want: Partial<Fields>): Change<Fields> {
  const fields = (Object.keys(want) as (keyof Fields)[]).filter(
    (field) => want[field] !== undefined && JSON.stringify(want[field]) !== JSON.stringify(have[field]),
  )
  const of = (from: Partial<Fields>) => Object.fromEntries(fields.map((field) => [field, from[field]])) as Partial<Fields>
  return { before: of(have), after: of(want) }
}

/** What `facts` say of a change. */
export type Change<Fields extends object> = { before: Partial<Fields>; after: Partial<Fields> }

/** Appends one entry to the log, in the transaction whose change it records. */
export async function appendLog(trx: Trx, entry: LogEntry): Promise<void> {
  await appendLogs(trx, [entry])
}

/** Appends many entries with one statement, in their order. */
export async function appendLogs(trx: Trx, entries: LogEntry[]): Promise<void> {
  if (entries.length > 0) await logging(trx, entries).execute(trx)
}

/** The same as SQL: for a statement that makes the change too. @param first entries that it finds itself, as rows of all columns */
export function logging(trx: Trx, entries: LogEntry[], first?: RawBuilder<unknown>): RawBuilder<unknown> {
  const rows = entries.map((entry) => ({
    action: entry.action,
    request_id: entry.requestId ?? trx.scope.requestId ?? null,
    subject: entry.subject ?? null,
    directory_id: entry.directoryId ?? null,
    run_id: entry.runId ?? null,
    facts: entry.facts ?? {},
    added: some(entry.added),
    removed: some(entry.removed),
    pushed_added: some(entry.pushedAdded),
    pushed_removed: some(entry.pushedRemoved),
  }))
  return sql`
    insert into log_entries (org_id, actor, request_id, action, subject, directory_id, run_id, facts, added, removed, pushed_added, pushed_removed)
    ${first ? sql`${first} union all` : sql``}
    select ${trx.orgId}::uuid, ${trx.scope.actor}, request_id, action, subject, directory_id, run_id, facts,
      added, removed, pushed_added, pushed_removed
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as entry(action text, request_id text, subject uuid, directory_id uuid, run_id uuid, facts jsonb,
      added uuid[], removed uuid[], pushed_added uuid[], pushed_removed uuid[])`
}

/** What change_memberships (migration 0003) takes of an act: organization, actor, request, action, directory, run, facts. */
export function logArguments(trx: Trx, act: Act): RawBuilder<unknown> {
  return sql`${trx.orgId}::uuid, ${trx.scope.actor}::text, ${trx.scope.requestId ?? null}::text, ${act.action}::text,
    ${act.directoryId ?? null}::uuid, ${act.runId ?? null}::uuid, ${JSON.stringify(act.facts ?? {})}::jsonb`
}

const some = (ids: AccountId[] | undefined): AccountId[] | null => (ids && ids.length > 0 ? ids : null)
