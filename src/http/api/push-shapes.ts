import { Type } from 'typebox'
import type { Scope } from '../../database/connection.ts'
import type { SecretKeys } from '../../database/secrets.ts'
import { Refusal } from '../../organization/refusal.ts'
import { readAllowList } from '../../outgoing/address.ts'
import { SourceError } from '../../push/source.ts'
import type { PushWorld } from '../../push/stored-push.ts'
import { TargetError, TargetUnreachable } from '../../push/target/answer.ts'
import type { Parts } from '../parts.ts'
import { Id } from './shapes.ts'

export const pushTags = ['push']
export const OfName = Type.Object({ id: Id, name: Type.String() })
export const Sums = Type.Object({ people: Type.Integer(), groups: Type.Integer(), memberships: Type.Integer() })

/** Where stored pushes of a request happen. */
export function worldOf({ db, secrets, reach = readAllowList('') }: Parts, scope: Scope): PushWorld {
  return { db, scope, keys: keysOf({ secrets }), reach }
}

/** What opens secrets. Only what describes the routes has none. */
export function keysOf({ secrets }: { secrets?: SecretKeys | undefined }): SecretKeys {
  if (secrets === undefined) throw new Error('This server was put together without keys for secrets.')
  return secrets
}

/** What the other side said wrong is no fault of ours: told in its own words. @throws Refusal `push_failed` */
export async function told<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (error instanceof SourceError)
      throw new Refusal('push_failed', `${error.lines[0]}. ${error.advice}`, { errors: error.lines })
    if (error instanceof TargetError || error instanceof TargetUnreachable) throw new Refusal('push_failed', error.message)
    throw error
  })
}
