import type { Preview, Run, RunGroup } from '../shapes.ts'
import { effectSentence, emptiedLines } from './effect.ts'
import { ago, count, counted, minus, plus } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, table } from './table.ts'
import { reasonWord, stateWord } from './words.ts'

const columns: Column<Run>[] = [
  { title: 'RUN', value: (run) => run.id },
  { title: 'STARTED', value: (run) => run.createdAt, shown: (run, out) => ago(run.createdAt, out.now) },
  { title: 'BY', value: (run) => run.createdBy, mayShrink: true },
  { title: 'GROUPS', align: 'right', value: (run) => run.groups.total, shown: (run) => count(run.groups.total) },
  { title: 'SYNCED', align: 'right', value: (run) => run.groups.synced, shown: (run) => count(run.groups.synced) },
  { title: 'SKIPPED', align: 'right', value: (run) => run.groups.skipped, shown: (run) => count(run.groups.skipped) },
  { title: 'FAILED', align: 'right', value: (run) => run.groups.failed, shown: (run) => count(run.groups.failed) },
  { title: 'LOST', align: 'right', value: (run) => run.access.lost, shown: (run) => minus(run.access.lost) },
  { title: 'GAINED', align: 'right', value: (run) => run.access.gained, shown: (run) => plus(run.access.gained) },
  { title: 'STATE', value: (run) => run.state, shown: (run, out) => stateWord(run.state, out) },
]

export const runList = (runs: Run[], out: Output): string => table(runs, columns, out)

const groupColumns: Column<RunGroup>[] = [
  { title: 'GROUP', value: (one) => one.group.name, mayShrink: true },
  { title: 'RESULT', value: (one) => one.result ?? 'queued', shown: (one, out) => stateWord(one.result ?? 'queued', out) },
  {
    title: 'WHY',
    value: (one) => one.reason,
    shown: (one) => [one.reason ? reasonWord(one.reason) : '', one.detail ?? ''].filter((part) => part !== '').join(': '),
  },
]

export const runGroups = (groups: RunGroup[], out: Output): string => table(groups, groupColumns, out)

/** `663 synced, 2 skipped, 2 failed`. */
export const runSentence = ({ groups }: Pick<Run, 'groups'>): string =>
  `${count(groups.synced)} synced, ${count(groups.skipped)} skipped, ${count(groups.failed)} failed`

/** A run as it stands: what it did, and what that did to access. */
export function runView(run: Run, out: Output): string {
  const { members, access } = run
  if (run.state === 'awaiting_approval') return awaitingView(run, out)
  return [
    `${stateWord(run.state, out)}  ${runSentence(run)} of ${counted(run.groups.total, 'group')}   run ${run.id}`,
    ...decisionLines(run),
    `${counted(members.added, 'member')} added, ${count(members.removed)} removed. ${counted(access.lost, 'access', 'accesses')} lost, ${count(access.gained)} gained.`,
    ...(run.retryOf === null ? [] : [`It tries again what run ${run.retryOf} left out.`]),
    ...(run.retriedBy.length === 0 ? [] : [`What it left out was tried again: run ${run.retriedBy.join(', ')}`]),
  ].join('\n')
}

function decisionLines({ state, approval }: Run): string[] {
  if (!approval?.decidedBy) return []
  const what = ['rejected', 'withdrawn', 'expired'].includes(state) ? state : 'approved'
  return [
    `${state === 'expired' ? 'Nobody approved it in time' : `${what} by ${approval.decidedBy}`}${approval.comment ? `: ${approval.comment}` : '.'}`,
  ]
}

function awaitingView({ id, state, groups, foreseen, createdBy, approval }: Run, out: Output): string {
  return [
    `${stateWord(state, out)}  ${counted(groups.total, 'group')}   run ${id}`,
    `It would take access from ${counted(foreseen.access.peopleLosing, 'person', 'people')}: somebody else than ${createdBy} approves it, before ${approval?.expiresAt}. Nothing was done yet.`,
    `Approve it: muster runs approve ${id}     Reject it: muster runs reject ${id} --comment WHY     Withdraw it: muster runs withdraw ${id}`,
  ].join('\n')
}

/** What a run would do, which groups it would leave out, and which of the others it would empty. */
export function previewView(preview: Preview, emptied: string[]): string {
  const left = preview.skipped.slice(0, 20).map(({ group, reason, detail }) => `  ${group.name}: ${detail ?? reasonWord(reason)}`)
  if (preview.skipped.length > left.length) left.push(`  and ${count(preview.skipped.length - left.length)} more`)
  return [
    `Would sync ${counted(preview.groups.synced, 'group')}${preview.groups.skipped > 0 ? ` and leave out ${count(preview.groups.skipped)}` : ''}: ${effectSentence(preview)}`,
    ...left,
    ...(preview.needsApproval ? ['It would wait until another person approves it.'] : []),
    ...emptiedLines(emptied.filter((name) => !preview.skipped.some(({ group }) => group.name === name))),
    'Nothing was changed (dry run).',
  ].join('\n')
}

// What may be accepted all the same, and how.
const accepting: Record<string, string> = {
  empty: ' (--accept-empty syncs it all the same)',
  filling: ' (wait, or --accept-incomplete)',
}

/** `– Skipped  kubernetes/sig-docs: still being filled (wait, or --accept-incomplete)`. */
export function leftOutLine({ group, result, reason, detail }: RunGroup, out: Output): string {
  const why = detail ?? (reason === null ? '' : reasonWord(reason))
  return `  ${stateWord(result ?? 'queued', out)}  ${group.name}: ${why}${accepting[reason ?? ''] ?? ''}`
}
