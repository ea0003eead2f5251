import { Refusal } from '../organization/refusal.ts'
import { SourceError } from '../push/source.ts'
import { TargetError, TargetUnreachable } from '../push/target/answer.ts'
import { exit, Failure } from './failure.ts'

/** Why a push could not be done at all, as a Failure; anything else is handed back as it is. */
export function explainedPush(error: unknown): unknown {
  if (error instanceof SourceError) return new Failure(exit.failed, error.lines.join('\n'), error.advice)
  if (error instanceof Refusal && error.code === 'push_stopped')
    return new Failure(exit.refused, error.message, 'Nothing was sent. See what would go: muster push plan --source … --to …')
  if (error instanceof Refusal && error.code === 'plan_changed')
    return new Failure(
      exit.reviewChanged,
      error.message,
      'Nothing was sent. Make it anew: muster push plan --source … --to … -o FILE',
    )
  if (error instanceof TargetUnreachable)
    return new Failure(
      exit.failed,
      error.message,
      'Is the address right, and is the service running? Nothing that was confirmed is lost: push again.',
    )
  if (!(error instanceof TargetError)) return error
  if (error.status === 401 || error.status === 403) {
    return new Failure(
      exit.signIn,
      `The target does not accept the token: ${error.message}`,
      'Set MUSTER_TARGET_TOKEN to a valid one: muster directories tokens create DIRECTORY',
    )
  }
  return new Failure(
    exit.failed,
    `The target answered ${error.status}: ${error.message}`,
    'Is the address its SCIM base URL, as in --to https://…/scim/v2?',
  )
}
