import { reading } from '../database/transaction.ts'
import { mappingsOf } from './stored/mappings.ts'
import { findPushTarget } from './stored/targets.ts'
import { openStoredTarget, type PushWorld } from './stored-push.ts'

/** What became other in the target since a group was last pushed there, by nobody here. */
export interface Drift {
  mapping: string
  name: string
  /** Its name there now, where it was renamed. */
  renamedTo: string | null
  isGone: boolean
  /** Members by the target's user names, or ids where it names nobody. */
  onlyInTarget: string[]
  missingInTarget: string[]
}

/** Reads the target to its end and compares it with what was confirmed. Put right by planning a push. @throws TargetUnreachable, TargetError */
export async function driftOf(world: PushWorld, given: string): Promise<Drift[]> {
  const { target, mappings } = await reading(world.db, world.scope, async (reader) => {
    const found = await findPushTarget(reader, given)
    return { target: found, mappings: await mappingsOf(reader, found.id) }
  })
  const pushed = new Map(
    mappings.flatMap((mapping) => (mapping.targetGroupId === null ? [] : [[mapping.targetGroupId, mapping] as const])),
  )
  const scim = await openStoredTarget(world, target)
  try {
    const names = new Map((await scim.users()).map((user) => [user.id, user.userName]))
    const { membersReadable } = await scim.profile()
    const drift: Drift[] = []
    await scim.eachGroup((group) => {
      const mapping = pushed.get(group.id)
      if (!mapping) return
      pushed.delete(group.id)
      const name = mapping.targetName ?? mapping.sourceName
      const there = new Set(membersReadable ? group.members : (mapping.confirmed ?? []))
      const missing = (mapping.confirmed ?? []).filter((id) => !there.delete(id))
      const renamedTo = group.displayName === name ? null : group.displayName
      if (renamedTo === null && missing.length + there.size === 0) return
      const named = (ids: Iterable<string>) => [...ids].map((id) => names.get(id) ?? id)
      drift.push({
        mapping: mapping.id,
        name,
        renamedTo,
        isGone: false,
        onlyInTarget: named(there),
        missingInTarget: named(missing),
      })
    })
    for (const { id, targetName, sourceName } of pushed.values())
      drift.push({
        mapping: id,
        name: targetName ?? sourceName,
        renamedTo: null,
        isGone: true,
        onlyInTarget: [],
        missingInTarget: [],
      })
    return drift
  } finally {
    scim.close()
  }
}
