import type { Reach } from '../../outgoing/address.ts'
import { type Source, SourceError } from '../source.ts'
import { TargetError, TargetUnreachable } from '../target/answer.ts'
import { scimTarget, type TargetGroup } from '../target/scim-target.ts'
import { flattened, strangersNote } from './nesting.ts'
import type { SettingsOf } from './settings.ts'

/** Reads people and groups of a SCIM server to the end. @throws SourceError */
export async function readScim(settings: SettingsOf<'scim'>, secret: string | undefined, reach: Reach): Promise<Source> {
  const service = scimTarget({ ...settings, token: secret ?? '', reach })
  try {
    const profile = await service.profile()
    if (profile.listing === 'each' || !profile.membersReadable)
      throw new SourceError([`${settings.url} does not show its groups whole`], 'It cannot be a source.')
    const users = await service.users()
    return sourceOf(users, await service.groups())
  } catch (error) {
    if (!(error instanceof TargetError || error instanceof TargetUnreachable)) throw error
    throw new SourceError([`${settings.url} could not be read: ${error.message}`], 'Nothing was concluded from a part of it.')
  } finally {
    service.close()
  }
}

function sourceOf(users: Awaited<ReturnType<ReturnType<typeof scimTarget>['users']>>, groups: TargetGroup[]): Source {
  const people = new Set(users.map(({ id }) => id))
  const groupIds = new Set(groups.map(({ id }) => id))
  const strangers = new Set(groups.flatMap(({ members }) => members.filter((id) => !people.has(id) && !groupIds.has(id))))
  const notes = strangersNote(strangers, 'neither users nor groups there')
  return {
    users: users.map(({ id, userName, email, displayName, active }) => ({ id, userName, email, displayName, active })),
    groups: flattened(
      groups.map(({ id, displayName, members }) => ({
        key: id,
        id,
        name: displayName,
        description: null,
        people: members.filter((member) => people.has(member)),
        groups: members.filter((member) => groupIds.has(member)),
      })),
    ),
    ...(notes.length > 0 ? { notes } : {}),
  }
}
