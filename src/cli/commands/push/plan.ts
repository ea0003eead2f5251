import { type Command, Command as NewCommand, Option } from 'commander'
import type { PushPlan } from '../../../push/plan.ts'
import { profileNames } from '../../../push/target/profile.ts'
import { outputOf } from '../../context.ts'
import { exit } from '../../failure.ts'
import { wholeNumber } from '../../lists.ts'
import { given, opened, writePushPlan } from '../../push-plan.ts'
import { print } from '../../views/output.ts'
import { markdownPlan, planView } from '../../views/push-plan.ts'

/** Adds what every push between a source and a target takes. */
export const takingAway = (command: Command): Command =>
  command
    .addOption(
      new Option('--target-profile <name>', 'how the target is spoken to, where it does not say').choices([...profileNames]),
    )
    .option('--remove-absent', 'delete groups and switch off people that the target has and the source has not')
    .option('--allow-removals <n>', 'take up to so many away, where the push guard would not', wholeNumber, 0)

interface Options {
  source: string
  to: string
  targetProfile?: string
  removeAbsent?: true
  allowRemovals: number
  out?: string
  format?: 'json' | 'markdown'
  detailedExitcode?: true
}

export const planPush = takingAway(
  new NewCommand('plan')
    .description('what a push would send, group by group, against the target’s real state; nothing is sent')
    .requiredOption('--source <place>', 'a folder of CSV or JSON files, or a file that describes a source')
    .requiredOption('--to <scim-url>', 'the SCIM base URL; its token is in MUSTER_TARGET_TOKEN'),
)
  .option('-o, --out <file>', 'keep it in a file, for: muster push apply --plan FILE')
  .addOption(new Option('--format <format>', 'print it so').choices(['json', 'markdown']))
  .option('--detailed-exitcode', 'exit 2 where there is something to send, 6 where the push guard stops it')
  .action(async (options: Options, command: Command) => {
    const out = outputOf(command)
    const [{ makePlan }, { explainedPush }] = await Promise.all([
      import('../../../push/make-plan.ts'),
      import('../../push-failure.ts'),
    ])
    const what = given(options)
    const plan: PushPlan = await opened(what)
      .then(({ from, target }) => makePlan({ from, target, options: what }).finally(target.close))
      .then(
        (made) => ({ ...made.plan, options: { removeAbsent: what.removeAbsent, allowRemovals: what.allowRemovals } }),
        (error) => {
          throw explainedPush(error)
        },
      )
    if (options.out !== undefined) writePushPlan(options.out, plan)
    if (options.format === 'markdown') out.data(markdownPlan(plan))
    else print(options.format === 'json' ? { ...out, json: true } : out, plan, planView)
    if (options.out !== undefined && plan.stops.length === 0)
      out.say(`Kept in ${options.out}. Next: muster push apply --plan ${options.out}`)
    if (options.detailedExitcode && plan.stops.length > 0) process.exitCode = exit.refused
    else if (options.detailedExitcode && plan.people.length + plan.groups.length > 0) process.exitCode = exit.changes
  })
