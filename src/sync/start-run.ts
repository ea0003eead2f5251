import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, isId, type ProvisionedGroupId, type RunId } from '../database/ids.ts'
import type { Jobs } from '../database/jobs.ts'
import type { GroupReason, GroupState, RunKind } from '../database/tables.ts'
import { planForSets } from '../database/transaction.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Asking } from '../organization/roles.ts'
import { refuseObserving } from '../provisioning/directories.ts'
import type { LinkPreview } from '../provisioning/linking.ts'
import { type Asked, chosenWithChoices } from '../review/chosen.ts'
import type { Choices, Chosen } from '../review/differences.ts'
import { type Effect, type EffectDelta, effectInRun, effectOf } from '../review/effect.ts'
import { type Expectation, expectedInRun } from '../review/expected-in-run.ts'
import { refuseOutsideProducts } from '../review/products.ts'
import { type ReviewHeading, reviewHeadings } from '../review/summaries.ts'
import { approvalFor } from './approvals.ts'
import { isSingleReviewOf, type ReviewedGroup, reviewChanged } from './review-changed.ts'
import { type GroupOutcome, insertRun, skipped } from './runs.ts'
import { isForeseen, whyNot } from './sync-group.ts'

export interface RunRequest extends Asked {
  kind: RunKind
  directoryId: DirectoryId
  /** Who asks, where that is a person or a program: a reviewer may not ask for everything. */
  by?: Asking
  /** Of the answer that was reviewed: the selection's; of one group, its own will do. */
  fingerprint: string
  acceptIncomplete: boolean
  acceptEmpty: boolean
  note: string | null
  /** The run that left them out, where it is tried again. */
  retryOf?: RunId | undefined
  /** What the caller saw, so that a refusal can say what is other. */
  reviewed?: ReviewedGroup[] | undefined
  effect?: EffectDelta | undefined
}

/**
 * Starts a run over a selection: computes its answer again, and if it is the reviewed one stores the run with what each group is expected
 * to do, and enqueues the job in the same transaction; where it needs approval, it waits for that instead. Blocked groups are skipped with their reasons; filling and empty ones too, unless
 * accepted.
 * @throws Refusal `not_permitted` for a reviewer of other products, `review_changed` with what is other now, `not_found`, `nothing_to_sync`; of a single group also `group_blocked`,
 * `group_filling`, `group_empty`
 */
export async function startRun(trx: Trx, jobs: Pick<Jobs, 'send'>, request: RunRequest): Promise<RunId> {
  await planForSets(trx)
  const { groups, effect, blocked } = await plan(trx, request)
  const { kind, directoryId, choice, acceptIncomplete, acceptEmpty, note, retryOf } = request
  const { fingerprint, ...foreseen } = effect
  const approval = await approvalFor(trx, effect)
  const runId = await insertRun(trx, {
    kind,
    directoryId,
    choice,
    acceptIncomplete,
    acceptEmpty,
    note,
    retryOf,
    fingerprint,
    foreseen: { ...foreseen, blocked },
    groups,
    approval,
  })
  if (approval === null) await jobs.send(trx, 'sync-run', { orgId: trx.orgId, runId })
  return runId
}

/** What a run would do, in the figures of its report. */
export interface RunPreview {
  groups: { total: number; synced: number; skipped: number; failed: number }
  effect: Effect
  blocked: number
  needsApproval: boolean
  skipped: { group: { id: ProvisionedGroupId; name: string }; reason: string; detail: string | null }[]
}

/** A dry run: the same answer and the same refusals, and nothing is changed. */
export async function previewRun(reader: Reader, request: RunRequest): Promise<RunPreview> {
  const { groups, effect, blocked, choices } = await plan(reader, request)
  const left = groups.flatMap(({ id, name, outcome }) =>
    outcome?.result === 'skipped' ? [{ group: { id, name }, reason: outcome.reason, detail: outcome.detail }] : [],
  )
  const going = groups.filter(({ outcome }) => outcome === undefined).map(({ id }) => id)
  return {
    groups: { total: groups.length, synced: going.length, skipped: left.length, failed: 0 },
    effect: left.length === 0 ? effect : { ...(await effectOf(reader, going, choices)), fingerprint: effect.fingerprint },
    blocked,
    needsApproval: (await approvalFor(reader, effect)) !== null,
    skipped: left,
  }
}

interface Planned extends Chosen {
  id: ProvisionedGroupId
  name: string
  expected: Expectation
  outcome?: GroupOutcome | undefined
}

async function plan(
  reader: Reader,
  request: RunRequest,
): Promise<{ groups: Planned[]; effect: Effect; blocked: number; choices: Choices }> {
  const { fingerprint, selection } = request
  await refuseObserving(reader, request.directoryId)
  const { ids, blocked, choices, links } = await chosenWithChoices(reader, request.directoryId, request)
  const decided = ids.map((id) => ({ id, to: links.get(id)?.to.id }))
  await refuseOutsideProducts(reader, request.by, decided)
  const settled = await settledGroups(reader, request, ids)
  // Of one reading: what changes later is refused by the group's own turn.
  const { effect, expectations } = await effectInRun(reader, ids, choices)
  const chosenFor = (id: ProvisionedGroupId): Chosen => choices.get(id) ?? { choice: 'overwrite' }
  const headings = inOrderOfTurns(
    (await reviewHeadings(reader, { ids })).map((heading) => linkedHeading(heading, links.get(heading.id))),
  )
  const groups = headings.flatMap((heading): Planned[] => {
    const expected = expectations.get(heading.id)
    const chosen = chosenFor(heading.id)
    // Whoever drops members has chosen among the groups that keep some.
    return expected
      ? [
          {
            id: heading.id,
            name: heading.name,
            expected,
            ...chosen,
            outcome: whyNot({ ...heading, keptCount: 1 }, chosen.choice, request),
          },
        ]
      : []
  })
  if (selection.mode === 'ids' && groups.length + settled.length === 1) refuseSingle([...groups, ...settled])
  if (effect.fingerprint !== fingerprint && !(await isSingleReviewOf(reader, ids, fingerprint, choices)))
    throw await reviewChanged(reader, request, effect, blocked)
  if (ids.length === 0) throw nothingToSync(blocked + settled.length)
  await skipWhatLosesByIt(reader, groups, choices)
  return { groups: [...groups, ...settled], effect, blocked, choices }
}

/** What a group's heading is once it is linked. */
const linkedHeading = (heading: ReviewHeading, link: LinkPreview | undefined): ReviewHeading =>
  link === undefined
    ? heading
    : { ...heading, ...link.members, isEmpty: link.to.memberCount > 0 && link.members.added + link.members.unchanged === 0 }

// A removal may rest on another group's addition of the same access: who only adds comes first, who only removes last. It saves turns
// and is no guarantee, since a group may be skipped when its turn comes: syncGroup leaves who rests on one that waits for later.
function inOrderOfTurns(headings: ReviewHeading[]): ReviewHeading[] {
  const turn = ({ added, removed }: ReviewHeading) => (removed === 0 ? 0 : added > 0 ? 1 : 2)
  return headings.toSorted((a, b) => turn(a) - turn(b) || (a.nameKey < b.nameKey ? -1 : 1))
}

// What was reviewed had all groups in it. Where some are left out, others may take what those would have given: they are left out too.
async function skipWhatLosesByIt(reader: Reader, groups: Planned[], choices: Choices): Promise<void> {
  for (let left = 0; ; ) {
    const going = groups.filter(({ outcome }) => outcome === undefined)
    if (groups.length - going.length === left) return
    left = groups.length - going.length
    const ids = going.map(({ id }) => id)
    const now = await expectedInRun(reader, { groupIds: ids, pending: ids, choices })
    for (const group of going) {
      const expected = now.get(group.id)
      if (!isForeseen(group.expected, expected))
        group.outcome = skipped('review_changed', 'It would take what a group that is left out would have given.')
    }
  }
}

interface SettledRow {
  id: ProvisionedGroupId
  name: string
  state: GroupState
  reasons: GroupReason[]
}

/** Groups asked for by id or name of which nothing is to be done: in the report, with why. In a filter they are not meant. */
async function settledGroups(
  reader: Reader,
  { directoryId, selection, choice, ...request }: RunRequest,
  chosen: readonly ProvisionedGroupId[],
): Promise<Planned[]> {
  if (selection.mode !== 'ids') return []
  const { rows } = await sql<SettledRow>`
    select id, name, state, reasons from provisioned_groups p
    where p.org_id = ${reader.orgId} and p.directory_id = ${directoryId} and p.id <> all(${chosen}::uuid[])
      and (p.id = any(${selection.ids.filter(isId)}::uuid[]) or p.name_key = any(${selection.ids.map(nameKey)}::text[]))
    order by name_key`.execute(reader)
  return rows.map(({ id, name, state, reasons }) => ({
    id,
    name,
    choice,
    expected: { digest: '', lost: [] },
    outcome: whyNot({ state, reasons, isFilling: false, isEmpty: false, keptCount: 0 }, choice, request),
  }))
}

/** A single group is refused where one of many is skipped: there is nothing else to go on with. */
function refuseSingle([{ id, name, outcome } = {} as Planned]: Planned[]): void {
  if (outcome?.result !== 'skipped') return
  const facts = { group: { id, name }, reason: outcome.reason, detail: outcome.detail }
  switch (outcome.reason) {
    case 'filling':
      throw new Refusal(
        'group_filling',
        `"${name}" is still filling: members were written within the quiet time. Wait, or accept it as incomplete.`,
        facts,
      )
    case 'empty':
      throw new Refusal(
        'group_empty',
        `"${name}" was pushed empty over a group with members. Push its members, or accept it as empty.`,
        facts,
      )
    case 'blocked':
      throw new Refusal(
        'group_blocked',
        `"${name}" is blocked and cannot be synced by anyone until the reasons are gone. ${outcome.detail ?? ''}`.trim(),
        facts,
      )
    case 'not_possible':
      throw new Refusal('choice_not_possible', `"${name}": ${outcome.detail}`, facts)
    case 'nothing_kept':
      throw new Refusal('nothing_to_sync', `No member of "${name}" is kept: there is nobody to drop.`, facts)
    default:
      throw new Refusal(
        'nothing_to_sync',
        `"${name}" needs no review${outcome.reason === 'already_synced' ? ': it is synced' : ''}.`,
        facts,
      )
  }
}

const nothingToSync = (leftOut: number): Refusal =>
  new Refusal(
    'nothing_to_sync',
    `No group of the selection needs review${leftOut > 0 ? `; ${leftOut} are left out, blocked or settled` : ''}.`,
    { leftOut },
  )
