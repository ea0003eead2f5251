import { Refusal } from '../organization/refusal.ts'

/** A condition that a request sets on the version of what it changes (RFC 7644 §3.14). */
export type Condition = ((version: number) => boolean) | undefined

/** To be asked under the lock of what is changed. @throws Refusal `version_changed` */
export function mustMeet(condition: Condition, { version }: { version: number }): void {
  if (condition === undefined || condition(version)) return
  throw new Refusal(
    'version_changed',
    'It has changed since you read it. Read it again, and send the change with the version it has now.',
  )
}
