import { Command } from 'commander'
import type { PushCount } from '../../../push/count.ts'
import { outputOf } from '../../context.ts'
import { exit } from '../../failure.ts'
import { wholeNumber } from '../../lists.ts'
import { fileJournal, given, opened, readPushPlan, stages } from '../../push-plan.ts'
import { print } from '../../views/output.ts'
import { pushedView } from '../../views/push.ts'

export const applyPushPlan = new Command('apply')
  .description('send exactly what a plan says, or refuse where the source or the target changed; started again, it goes on')
  .requiredOption('--plan <file>', 'the file that muster push plan -o FILE made')
  .option('--at-once <n>', 'how many requests at a time', wholeNumber, 8)
  .action(async ({ plan: path, atOnce }: { plan: string; atOnce: number }, command: Command) => {
    const out = outputOf(command)
    const plan = readPushPlan(path)
    const { source, target: there, options } = plan
    const what = given({ source: source.place, to: there.url, targetProfile: there.profile.name, ...flags(options) })
    const [{ makePlan }, { applyPlan }, { countBoth }, { explainedPush }] = await Promise.all([
      import('../../../push/make-plan.ts'),
      import('../../../push/apply-plan.ts'),
      import('../../../push/count.ts'),
      import('../../push-failure.ts'),
    ])
    const bars = stages(out)
    try {
      const { from, target } = await opened(what)
      const journal = fileJournal(path, plan)
      const made = await makePlan({ from, target, options })
      const result = await applyPlan(plan, made, target, { atOnce: Math.max(atOnce, 1), journal, onProgress: bars.show })
      bars.end()
      const counted: PushCount = await countBoth(from, target)
      target.close()
      journal.end()
      print(out, { ...result, counted }, pushedView)
      if (result.errors.length > 0 || counted.differences > 0) process.exitCode = exit.runIncomplete
    } catch (error) {
      throw explainedPush(error)
    } finally {
      bars.end()
    }
  })

const flags = ({ removeAbsent, allowRemovals }: { removeAbsent: boolean; allowRemovals: number }) => ({
  removeAbsent: removeAbsent ? (true as const) : undefined,
  allowRemovals,
})
