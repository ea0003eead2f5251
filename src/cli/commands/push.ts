import { Command } from 'commander'
import type { PushResult } from '../../push/apply-plan.ts'
import { outputOf } from '../context.ts'
import { exit } from '../failure.ts'
import { wholeNumber } from '../lists.ts'
import { type Given, given, opened, stages } from '../push-plan.ts'
import { type Output, print } from '../views/output.ts'
import { pushView } from '../views/push.ts'
import { applyPushPlan } from './push/apply.ts'
import { planPush, takingAway } from './push/plan.ts'
import {
  exportStoredPushes,
  importStoredPushes,
  pushDrift,
  pushMappings,
  pushRules,
  pushSources,
  pushTargets,
  runStoredPush,
  setPushSecret,
} from './push/stored.ts'

export const push = takingAway(
  new Command('push')
    .description(
      'push people and groups of a folder (users.csv, groups.csv, members.csv) to a SCIM service; the token is in MUSTER_TARGET_TOKEN',
    )
    .argument('<folder>')
    .option('--to <scim-url>', 'the SCIM base URL'),
)
  .option('--at-once <n>', 'how many requests at a time', wholeNumber, 8)
  .action(async (folder: string, options: PushFlags, command: Command) => {
    const out = outputOf(command)
    const result = await pushTo({ ...given({ ...options, source: folder }), atOnce: options.atOnce }, out)
    print(out, result, pushView)
    if (result.errors.length > 0) process.exitCode = exit.runIncomplete
  })
  .addCommand(planPush)
  .addCommand(applyPushPlan)
  .addCommand(pushSources)
  .addCommand(pushTargets)
  .addCommand(pushRules)
  .addCommand(pushMappings)
  .addCommand(runStoredPush)
  .addCommand(pushDrift)
  .addCommand(exportStoredPushes)
  .addCommand(importStoredPushes)
  .addCommand(setPushSecret)

interface PushFlags {
  to?: string
  targetProfile?: string
  removeAbsent?: true
  allowRemovals: number
  atOnce: number
}

/** Reads the source and pushes it, with progress on stderr. @throws Failure */
export async function pushTo(what: Given & { atOnce: number }, out: Output): Promise<PushResult> {
  const [{ pushSource }, { explainedPush }] = await Promise.all([
    import('../../push/push-source.ts'),
    import('../push-failure.ts'),
  ])
  const bars = stages(out)
  try {
    const { from, target } = await opened(what)
    const { removeAbsent, allowRemovals } = what
    const atOnce = Math.max(what.atOnce, 1)
    return await pushSource(from, target, { removeAbsent, allowRemovals, atOnce, onProgress: bars.show }).finally(target.close)
  } catch (error) {
    throw explainedPush(error)
  } finally {
    bars.end()
  }
}
