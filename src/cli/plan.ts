import { readFileSync, writeFileSync } from 'node:fs'
import { exit, Failure } from './failure.ts'
import type { Choices, Effect, ReviewedGroup, Selection } from './shapes.ts'

/** A review that was kept in a file: `sync --plan` does exactly this, or refuses. */
export interface Plan {
  kind: 'muster.review-plan'
  version: 1
  server: string
  directory: string
  choices: Choices
  selection: Selection
  isAll: boolean
  effect: Effect
  /** What was seen of each group, of 1,000 at most. */
  reviewed: ReviewedGroup[]
}

/** Writes a plan; it names groups, so only its owner can read it. */
export function writePlan(path: string, plan: Plan): void {
  try {
    writeFileSync(path, `${JSON.stringify(plan, null, 2)}\n`, { mode: 0o600 })
  } catch (error) {
    throw new Failure(exit.failed, `${path} cannot be written: ${(error as Error).message}.`, 'Name another file: -o FILE')
  }
}

/** @throws Failure, where the file is no plan, or one for another server */
export function readPlan(path: string, server: string): Plan {
  const plan = parsed(path)
  if (plan.kind !== 'muster.review-plan' || plan.version !== 1) throw notAPlan(path)
  if (plan.server !== server)
    throw new Failure(
      exit.usage,
      `${path} was made for ${plan.server}, not for ${server}.`,
      'Sign in there, or make a plan here: muster reviews plan -o FILE',
    )
  return plan
}

function parsed(path: string): Plan {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(
      exit.failed,
      `${path} cannot be read: ${(error as Error).message}.`,
      'Make a plan first: muster reviews plan -o FILE',
    )
  }
  try {
    return JSON.parse(text) as Plan
  } catch {
    throw notAPlan(path)
  }
}

const notAPlan = (path: string) => new Failure(exit.usage, `${path} is no plan.`, 'Make one: muster reviews plan -o FILE')
