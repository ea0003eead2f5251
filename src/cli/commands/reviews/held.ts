import { randomUUID } from 'node:crypto'
import { Command, Option } from 'commander'
import { answer } from '../../api.ts'
import { confirmedBy, refuseTooMuch } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import { chosenDirectory } from '../../directory.ts'
import { exit, Failure } from '../../failure.ts'
import { addListOptions, again, type ListOptions, listQuery, printList, wholeNumber } from '../../lists.ts'
import type { Effect, Held, Listed, Run } from '../../shapes.ts'
import { decisionView, heldList } from '../../views/held.ts'
import { print } from '../../views/output.ts'
import { runView } from '../../views/runs.ts'
import { tellWhatIsMissing, watchRun } from '../../watch-run.ts'

const kinds = ['members', 'switch_off', 'delete_person', 'delete_group'] as const

export const listHeld = addListOptions(
  new Command('held')
    .description('what a provider took and the guard has wait, what waits longest first')
    .option('-d, --directory <name>', 'the directory; not needed where there is only one')
    .addOption(new Option('--kind <kind>', 'only this').choices(kinds))
    .option('--rejected', 'what was rejected instead, and is kept until the provider says otherwise'),
).action(
  async (options: ListOptions & { directory?: string; kind?: (typeof kinds)[number]; rejected?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const directory = await chosenDirectory(api, options.directory)
    const { kind, rejected } = options
    const query = { ...listQuery(options), ...(kind === undefined ? {} : { kind }), ...(rejected ? { rejected } : {}) }
    const listed = await answer<Listed<Held>>(
      api.GET('/api/v1/directories/{directory}/held', { params: { path: { directory }, query } }),
    )
    printList(out, listed, heldList, rejected ? 'Nothing was rejected.' : 'Nothing waits.')
    if (out.forPeople && listed.total > 0) out.say('Next: muster reviews allow NAME     or     muster reviews reject NAME')
  },
)

interface Options {
  all?: true
  directory?: string
  except?: string[]
  person?: string[]
  maxLost?: number
  dryRun?: true
  yes?: true
  note?: string
}

const deciding = (decision: 'allow' | 'reject', description: string) =>
  new Command(decision)
    .description(description)
    .argument('[name...]', 'groups, user names, or ids of what waits')
    .option('--all', 'all that waits')
    .option('-d, --directory <name>', 'the directory; not needed where there is only one')
    .option('--except <name>', 'but this; may be given again', again)
    .option('--person <name>', 'of members this person alone; may be given again', again)
    .option('--max-lost <n>', 'refuse where more accesses would be lost', wholeNumber)
    .option('--dry-run', 'show what it would do, change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--note <text>', 'why; kept with the run')
    .action(async (names: string[], options: Options, command: Command) => {
      if (names.length > 0 === (options.all === true))
        throw new Failure(exit.usage, 'Say what is meant: names, or --all.', 'See what waits: muster reviews held')
      const { api, out } = await contextOf(command)
      const directory = await chosenDirectory(api, options.directory)
      const { except, person: people, note } = options
      const selection = {
        ...(options.all ? {} : { ids: names }),
        ...(except === undefined ? {} : { except }),
        ...(people === undefined ? {} : { people }),
      }
      const path = { directory }
      const effect = await answer<Omit<Effect, 'directory' | 'blocked'>>(
        api.POST('/api/v1/directories/{directory}/held/effect', { params: { path }, body: selection }),
      )
      const shown = decisionView(decision, effect)
      if (options.dryRun) return print(out, effect, () => `${shown}\nNothing was changed (dry run).`)
      if (decision === 'allow') {
        refuseTooMuch({ directory, blocked: 0, ...effect }, options.maxLost)
        const { peopleLosing } = effect.access
        if (peopleLosing > 0) await confirmedBy({ typed: String(peopleLosing), shown, isYes: options.yes === true }, out)
      }
      const started = await answer<Run>(
        api.POST('/api/v1/directories/{directory}/held/decisions', {
          params: { path, header: { 'idempotency-key': randomUUID() } },
          body: { ...selection, decision, fingerprint: effect.fingerprint, ...(note === undefined ? {} : { note }) },
        }),
      )
      const run = await watchRun(api, started.id, out)
      print(out, run, runView)
      await tellWhatIsMissing(api, run, out)
    })

export const allowHeld = deciding('allow', 'do what waits: end memberships, switch people off, delete groups, as a run')
export const rejectHeld = deciding('reject', 'keep what waits as it is, until the provider says otherwise, as a run')
