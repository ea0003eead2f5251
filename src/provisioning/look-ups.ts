import type { Db, Scope } from '../database/connection.ts'
import { type DirectoryId, isId } from '../database/ids.ts'
import { togetherInTurn } from '../database/together.ts'
import { lookingUpInLine } from '../database/transaction.ts'
import type { StoredUser } from '../scim/representation.ts'
import { type GroupRecord, groupsBy, type UniqueKey, usersBy } from './read.ts'

/** Whose users or groups are looked up. */
export interface From {
  scope: Scope
  directoryId: DirectoryId
}

/** Looks up one user, or one group that was pushed, by what picks it: its id as somebody gave it, or its name's key. */
export interface LookUps {
  user(from: From, by: UniqueKey, key: string, withGroups: boolean): Promise<StoredUser | undefined>
  group(from: From, by: UniqueKey, key: string): Promise<GroupRecord | undefined>
}

interface LookUp extends From {
  by: UniqueKey
  key: string
  withGroups: boolean
}

/** So many are read by one statement. */
const most = 50

/** Look-ups that come in one turn of the event loop are read by one statement: under load its cost is shared (decision 41). */
export function lookUpsTogether(db: Db): LookUps {
  const inLine = lookingUpInLine(db)
  const keysOf = (lookUps: LookUp[]) => lookUps.map(({ key }) => key)
  const user = togetherInTurn((lookUps: LookUp[]) => {
    const [{ scope, directoryId, by, withGroups }] = lookUps as [LookUp]
    return inLine(scope, (reader) => usersBy(reader, directoryId, by, keysOf(lookUps), withGroups))
  }, most)
  const group = togetherInTurn((lookUps: LookUp[]) => {
    const [{ scope, directoryId, by }] = lookUps as [LookUp]
    return inLine(scope, (reader) => groupsBy(reader, directoryId, by, keysOf(lookUps)))
  }, most)
  return {
    user: (from, by, key, withGroups) => looked(user, { ...from, by, key, withGroups }),
    group: (from, by, key) => looked(group, { ...from, by, key, withGroups: false }),
  }
}

function looked<T>(lookUp: (alike: string, one: LookUp) => Promise<T | undefined>, one: LookUp): Promise<T | undefined> {
  const { scope, directoryId, by, key, withGroups } = one
  if (by === 'id' && !isId(key)) return Promise.resolve(undefined)
  return lookUp(`${scope.orgId} ${directoryId} ${by} ${withGroups}`, by === 'id' ? { ...one, key: key.toLowerCase() } : one)
}
