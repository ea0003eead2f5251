import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { type Api, answer } from '../api.ts'
import { confirmed, refuseTooMuch } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { exit, Failure } from '../failure.ts'
import { wholeNumber } from '../lists.ts'
import { readPlan } from '../plan.ts'
import { acceptsEmpty, addSelectionOptions, type Chosen, chosenGroups, pushedEmpty, type SelectionOptions } from '../selection.ts'
import type { Effect, Preview, ReviewedGroup, Run } from '../shapes.ts'
import { effectSentence } from '../views/effect.ts'
import { count, counted } from '../views/numbers.ts'
import { type Output, print } from '../views/output.ts'
import { previewView, runView } from '../views/runs.ts'
import { tellWhatIsMissing, watchRun } from '../watch-run.ts'

interface Options extends SelectionOptions {
  plan?: string
  maxLost?: number
  yes?: true
  acceptIncomplete?: true
  acceptEmpty?: true
  dryRun?: true
  note?: string
}

interface Intent extends Chosen {
  reviewed?: ReviewedGroup[]
}

export const sync = addSelectionOptions(new Command('sync').description('make groups what their provider pushed, as a run'))
  .option('--plan <file>', 'do what was planned with: muster reviews plan -o FILE')
  .option('--max-lost <n>', 'refuse where more accesses would be lost', wholeNumber)
  .option('-y, --yes', 'do not ask')
  .option(
    '--accept-incomplete',
    'also groups whose push may be incomplete: still being filled, or pushed empty over members (as --accept-empty)',
  )
  .option('--accept-empty', 'also groups that were pushed empty over members')
  .option('--dry-run', 'show what would happen and change nothing')
  .option('--note <text>', 'why; kept with the run')
  .action(async (groups: string[], options: Options, command: Command) => {
    const { api, out, connection } = await contextOf(command)
    const intent =
      options.plan === undefined
        ? await chosenGroups(api, groups, options)
        : planned(options.plan, connection.server, groups, options)
    // Groups that were named and need no review: the server says of each why not.
    if (intent.effect.groups === 0 && intent.selection.mode === 'filter') return nothingToDo(intent, out)
    refuseTooMuch(intent.effect, options.maxLost)
    try {
      const emptied = acceptsEmpty(options) ? await pushedEmpty(api, intent) : []
      if (options.dryRun) return print(out, await dryRun(api, intent, options), (preview) => previewView(preview, emptied))
      await confirmed(intent.effect, emptied, options.yes === true, out)
      const run = await watchRun(api, (await startRun(api, intent, options)).id, out)
      print(out, run, runView)
      await tellWhatIsMissing(api, run, out)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (codeOf(error) === 'nothing_to_sync') return nothingToDo(intent, out, error.message)
      throw error.code === exit.reviewChanged ? changedMeanwhile(error, intent.effect, out) : withFlag(error)
    }
  })

function planned(path: string, server: string, groups: string[], options: Options): Intent {
  if (groups.length > 0 || options.all || options.only || options.choice || options.choose || options.dropKept)
    throw new Failure(
      exit.usage,
      'A plan says which groups are meant, and what becomes of them.',
      'Leave out the groups, --all, --only and choices, or --plan',
    )
  return readPlan(path, server)
}

// What was to be is so already: done. A script reads what it reads of a run or a dry run, with nothing in it.
function nothingToDo({ directory, choices, effect: { blocked } }: Intent, out: Output, why = 'No group needs review.'): void {
  const nothing = {
    id: null,
    state: 'finished',
    directory,
    choice: choices.kind ?? choices.defaultChoice ?? 'overwrite',
    groups: { total: 0, synced: 0, skipped: 0, failed: 0 },
    members: { added: 0, removed: 0 },
    access: { lost: 0, gained: 0, peopleLosing: 0, peopleGaining: 0, leftWithNone: 0, jointLosses: 0 },
    blocked,
    skipped: [],
  }
  print(out, nothing, () => `${why} ${blocked > 0 ? `${counted(blocked, 'is', 'are')} blocked.` : 'Nothing to do.'}`)
}

function requestOf({ selection, choices, effect, reviewed }: Intent, options: Options) {
  const { groups, members, access, fingerprint } = effect
  return {
    selection,
    ...choices,
    fingerprint,
    effect: { groups, members, access },
    ...(reviewed ? { reviewed } : {}),
    ...(options.acceptIncomplete ? { acceptIncomplete: true } : {}),
    ...(acceptsEmpty(options) ? { acceptEmpty: true } : {}),
    ...(options.note === undefined ? {} : { note: options.note }),
  }
}

const startRun = async (api: Api, intent: Intent, options: Options) =>
  (await post(api, intent.directory, requestOf(intent, options))) as Run
const dryRun = async (api: Api, intent: Intent, options: Options) =>
  (await post(api, intent.directory, { ...requestOf(intent, options), dryRun: true })) as Preview

// One path answers both, by whether `dryRun` is asked for. The key: a request that is sent twice starts one run.
const post = (api: Api, directory: string, body: ReturnType<typeof requestOf> & { dryRun?: true }) =>
  answer<Run | Preview>(
    api.POST('/api/v1/directories/{directory}/runs', {
      params: { path: { directory }, header: { 'idempotency-key': randomUUID() } },
      body,
    }),
  )

const codeOf = ({ problem }: Failure) => (problem as { type?: string } | undefined)?.type?.replace('urn:muster:problem:', '')

// What the server says may be accepted is accepted by an option here.
function withFlag(error: Failure): Failure {
  const flag = { group_filling: '--accept-incomplete', group_empty: '--accept-empty' }[codeOf(error) ?? '']
  return flag ? new Failure(error.code, error.message, `${error.advice} Accept it with ${flag}`, error.problem) : error
}

// Nothing was done: the new figures are printed, so that it can be decided again.
function changedMeanwhile({ problem }: Failure, before: Effect, out: Output): Failure {
  const { changed = [], effect } = problem as { changed?: { group: { id: string; name: string | null } }[]; effect?: Effect }
  if (out.json) print(out, problem, () => '')
  else if (effect) out.data(`Now: ${effectSentence(effect)}\nWas: ${effectSentence(before)}`)
  const names = changed.slice(0, 3).map(({ group }) => group.name ?? group.id)
  const which =
    names.length === 0
      ? ''
      : `: ${names.join(', ')}${changed.length > names.length ? ` and ${count(changed.length - names.length)} more` : ''}`
  return new Failure(
    exit.reviewChanged,
    `The review changed while you were looking${which}. Nothing was synced.`,
    'Look again, then sync again: muster reviews effect',
    problem,
  )
}
