import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { PushProgress } from '../push/apply-plan.ts'
import type { Journal } from '../push/journal.ts'
import type { ReadSource } from '../push/make-plan.ts'
import type { PlanOptions, PushPlan } from '../push/plan.ts'
import type { ProfileName } from '../push/target/profile.ts'
import type { ScimTarget } from '../push/target/scim-target.ts'
import { exit, Failure } from './failure.ts'
import { environment } from './profile.ts'
import type { Output } from './views/output.ts'
import { type Progress, progress } from './views/progress.ts'

/** What a push is between, and how much it may take away. */
export interface Given extends PlanOptions {
  source: string
  url: string
  token: string
  profile?: ProfileName | undefined
}

/** The options of a push, with the target's token from the environment. @throws Failure */
export function given(options: {
  source: string
  to?: string | undefined
  targetProfile?: string | undefined
  removeAbsent?: true | undefined
  allowRemovals: number
}): Given {
  const token = environment().targetToken
  if (token === undefined)
    throw new Failure(exit.signIn, 'There is no token for the target.', 'Set MUSTER_TARGET_TOKEN to the token that it expects.')
  if (options.to === undefined)
    throw new Failure(exit.usage, 'It is not said where to push to.', 'Give the SCIM base URL: --to https://…/scim/v2')
  if (!/^https?:\/\/./.test(options.to) || !URL.canParse(options.to))
    throw new Failure(exit.usage, `"${options.to}" is no address.`, 'Give the SCIM base URL: --to https://…/scim/v2')
  const { source, to: url, targetProfile: profile, removeAbsent = false, allowRemovals } = options
  return { source, url, token, profile: profile as ProfileName | undefined, removeAbsent, allowRemovals }
}

/** Reads the source, and opens the target. @throws SourceError */
export async function opened(what: Given): Promise<{ from: ReadSource; target: ScimTarget }> {
  const [{ readSourceAt }, { scimTarget }] = await Promise.all([
    import('../push/sources/read-source.ts'),
    import('../push/target/scim-target.ts'),
  ])
  const target = scimTarget({ url: what.url, token: what.token, profile: what.profile })
  return { from: await readSourceAt(what.source, environment().sourceSecret), target }
}

/** A bar for the users, then one for the groups. */
export function stages(out: Output) {
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

/** Writes a plan; it names people, so only its owner can read it. */
export function writePushPlan(path: string, plan: PushPlan): void {
  try {
    writeFileSync(path, `${JSON.stringify(plan, null, 1)}\n`, { mode: 0o600 })
  } catch (error) {
    throw new Failure(exit.failed, `${path} cannot be written: ${(error as Error).message}.`, 'Name another file: -o FILE')
  }
}

const advice = 'Make one: muster push plan --source FOLDER --to URL -o FILE'

/** @throws Failure, where the file is no plan */
export function readPushPlan(path: string): PushPlan {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(exit.failed, `${path} cannot be read: ${(error as Error).message}.`, advice)
  }
  try {
    const plan = JSON.parse(text) as PushPlan
    if (plan.kind === 'muster.push-plan' && plan.version === 1) return plan
  } catch {}
  throw new Failure(exit.usage, `${path} is no plan of a push.`, advice)
}

/** A journal beside a plan's file: `FILE.journal`, a line an intent and an outcome; its first line says of which plan. */
export function fileJournal(path: string, plan: PushPlan): Journal & { end(): void } {
  const file = `${path}.journal`
  const [first, ...lines] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const isOfPlan = first === plan.fingerprint
  if (!isOfPlan) writeFileSync(file, `${plan.fingerprint}\n`, { mode: 0o600 })
  const intended = new Set(isOfPlan ? lines.flatMap((line) => (line.startsWith('> ') ? [line.slice(2)] : [])) : [])
  const oneLine = (text: string) => text.replace(/[\r\n]+/g, ' ')
  return {
    intended,
    intend: (step) => appendFileSync(file, `> ${step}\n`),
    outcome: (step, why) =>
      appendFileSync(file, `${why === undefined ? '<' : '!'} ${step}${why === undefined ? '' : `: ${oneLine(why)}`}\n`),
    end: () => rmSync(file, { force: true }),
  }
}
