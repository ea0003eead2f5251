import { Command } from 'commander'
import type { PushProgress, PushResult } from '../../push/push-folder.ts'
import { outputOf } from '../context.ts'
import { exit, Failure } from '../failure.ts'
import { wholeNumber } from '../lists.ts'
import { environment } from '../profile.ts'
import { type Output, print } from '../views/output.ts'
import { type Progress, progress } from '../views/progress.ts'
import { pushView } from '../views/push.ts'

export const push = new Command('push')
  .description(
    'push people and groups of a folder (users.csv, groups.csv, members.csv) to a SCIM service; the token is in MUSTER_TARGET_TOKEN',
  )
  .argument('<folder>')
  .requiredOption('--to <scim-url>', 'the SCIM base URL')
  .option('--at-once <n>', 'how many requests at a time', wholeNumber, 8)
  .action(async (folder: string, { to, atOnce }: { to: string; atOnce: number }, command: Command) => {
    const out = outputOf(command)
    const token = environment().targetToken
    if (token === undefined)
      throw new Failure(exit.signIn, 'There is no token for the target.', 'Set MUSTER_TARGET_TOKEN to the token that it expects.')
    if (!/^https?:\/\/./.test(to) || !URL.canParse(to))
      throw new Failure(exit.usage, `"${to}" is no address.`, 'Give the SCIM base URL: --to https://…/scim/v2')
    const result = await pushTo({ folder, url: to, token, atOnce: Math.max(atOnce, 1) }, out)
    print(out, result, pushView)
    if (result.errors.length > 0) process.exitCode = exit.runIncomplete
  })

/** Reads the folder and pushes it, with progress on stderr. @throws Failure */
export async function pushTo(
  given: { folder: string; url: string; token: string; atOnce: number },
  out: Output,
): Promise<PushResult> {
  const [{ readSourceFolder }, { scimTarget }, { pushFolder }, { explainedPush }] = await Promise.all([
    import('../../push/source-folder.ts'),
    import('../../push/scim-target.ts'),
    import('../../push/push-folder.ts'),
    import('../push-failure.ts'),
  ])
  const bars = stages(out)
  try {
    const source = await readSourceFolder(given.folder)
    return await pushFolder(source, scimTarget({ url: given.url, token: given.token }), {
      atOnce: given.atOnce,
      onProgress: bars.show,
    })
  } catch (error) {
    throw explainedPush(error)
  } finally {
    bars.end()
  }
}

// A bar for the users, then one for the groups.
function stages(out: Output) {
  let current: { stage: string; bar: Progress } | undefined
  return {
    show: ({ stage, done, total, failed }: PushProgress) => {
      if (current?.stage !== stage) {
        current?.bar.end()
        current = { stage, bar: progress(out, stage === 'users' ? 'Users' : 'Groups') }
      }
      current.bar.show(done, total, failed > 0 ? `${failed} failed` : '')
    },
    end: () => current?.bar.end(),
  }
}
