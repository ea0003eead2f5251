import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type AccountId, type DirectoryId, type GroupId, isId, type ProvisionedGroupId, type RunId } from '../database/ids.ts'
import type { RunKind, SyncChoice } from '../database/tables.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Asked } from '../review/chosen.ts'
import { noSuchRun, type RunTerms } from './runs.ts'

/** What is asked for again: of the same kind and on the same terms, with the same choice a group. */
export interface Retry extends Asked, Omit<RunTerms, 'id'> {
  retryOf: RunId
  selection: { mode: 'ids'; ids: ProvisionedGroupId[] }
}

interface LeftGroup {
  id: ProvisionedGroupId
  choice: SyncChoice
  linkTo: GroupId | null
  newName: string | null
  people: AccountId[] | null
}

/**
 * What a run skipped or failed to do and what may be done now. Blocked, settled and deleted groups are left out, and those that still
 * wait for their turn; so are an undo's: the run that it undoes is undone again.
 * @throws Refusal `not_found`, the same for a foreign run; `nothing_to_sync`
 */
export async function retryOf(reader: Reader, id: string): Promise<Retry> {
  const { rows } = await sql<RunTerms & { kind: RunKind; choice: SyncChoice; directoryId: DirectoryId }>`
    select id, kind, directory_id as "directoryId", choice, accept_incomplete as "acceptIncomplete", accept_empty as "acceptEmpty"
    from runs where org_id = ${reader.orgId} and id = ${isId(id) ? id : null}::uuid`.execute(reader)
  const [run] = rows
  if (run === undefined) throw noSuchRun()
  const left = await leftGroups(reader, run.id)
  if (left.length === 0)
    throw new Refusal(
      'nothing_to_sync',
      'No group that the run skipped or failed at can be synced now. Look at them: muster runs show says why each was left out.',
      { run: run.id },
    )
  const { id: runId, choice, ...asked } = run
  // What a directory left for review as it went live, or took over, is synced as any.
  const terms = { ...asked, kind: asked.kind === 'drop_kept' ? asked.kind : ('sync' as const) }
  const people = left[0]?.people ? [...new Set(left.flatMap((group) => group.people ?? []))] : undefined
  return {
    ...terms,
    retryOf: runId,
    choice,
    selection: { mode: 'ids', ids: left.map((group) => group.id) },
    choices: Object.fromEntries(left.filter((group) => group.choice !== choice).map((group) => [group.id, group.choice])),
    links: Object.fromEntries(left.flatMap((group) => (group.linkTo === null ? [] : [[group.id, group.linkTo]]))),
    newNames: Object.fromEntries(left.flatMap((group) => (group.newName === null ? [] : [[group.id, group.newName]]))),
    ...(people === undefined ? {} : { people }),
  }
}

async function leftGroups(reader: Reader, id: RunId): Promise<LeftGroup[]> {
  const { rows } = await sql<LeftGroup>`
    select x.unit_id as id, x.choice, x.link_to as "linkTo", x.new_name as "newName", x.people from run_groups x
    cross join lateral (
      select state from provisioned_groups where org_id = ${reader.orgId} and id = x.unit_id offset 0
    ) p
    where x.org_id = ${reader.orgId} and x.run_id = ${id} and x.result in ('skipped', 'failed') and x.choice not in ('restore', 'allow', 'reject')
      and (p.state = 'needs_review' or x.choice = 'drop_kept' and p.state in ('synced', 'held'))
    order by x.position`.execute(reader)
  return rows
}
