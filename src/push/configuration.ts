import type { Reader, Trx } from '../database/connection.ts'
import type { SecretKeys } from '../database/secrets.ts'
import { Refusal } from '../organization/refusal.ts'
import { addMappings, listMappings } from './stored/mappings.ts'
import { listPushRules, savePushRule } from './stored/rules.ts'
import { listPushSources, savePushSource } from './stored/sources.ts'
import { findPushTarget, listPushTargets, savePushTarget } from './stored/targets.ts'

/** All that is pushed, as one value without secrets: for a file under version control. */
export interface PushConfiguration {
  version: 1
  sources: { name: string; settings: unknown }[]
  targets: {
    name: string
    source: string
    url: string
    profile?: string
    isPaused?: boolean
    everyMinutes?: number | null
    appliesByItself?: boolean
  }[]
  rules: { name: string; target: string; condition: unknown }[]
  /** Mapped by name. */
  mappings: { target: string; group: string; name?: string; targetName?: string }[]
}

/** Reads the configuration. */
export async function exportPushes(reader: Reader): Promise<PushConfiguration> {
  const [sources, targets, rules, mappings] = await Promise.all([
    listPushSources(reader, {}),
    listPushTargets(reader, {}),
    listPushRules(reader, {}),
    listMappings(reader, {}, {}),
  ])
  return {
    version: 1,
    sources: sources.items.map(({ name, settings }) => ({ name, settings })),
    targets: targets.items.map(({ name, source, url, profile, isPaused, everyMinutes, appliesByItself }) => {
      return { name, source: source.name, url, profile, isPaused, everyMinutes, appliesByItself }
    }),
    rules: rules.items.map(({ name, target, condition }) => ({ name, target: target.name, condition })),
    mappings: mappings.items.flatMap(({ rule, target, sourceKey, sourceName, targetName }) =>
      rule === null
        ? [{ target: target.name, group: sourceKey, name: sourceName, ...(targetName === null ? {} : { targetName }) }]
        : [],
    ),
  }
}

/** Makes what the configuration names be so; what it does not name stays. All or nothing. @throws Refusal `invalid_value`, `not_found` */
export async function applyPushes(trx: Trx, keys: SecretKeys, given: PushConfiguration): Promise<void> {
  if (given.version !== 1)
    throw new Refusal('invalid_value', 'This version knows configurations of version 1.', { field: 'version' })
  for (const source of given.sources) await savePushSource(trx, keys, source)
  for (const target of given.targets)
    await savePushTarget(trx, keys, { ...target, profile: target.profile as Parameters<typeof savePushTarget>[2]['profile'] })
  for (const rule of given.rules) await savePushRule(trx, rule)
  for (const [name, group] of Map.groupBy(given.mappings, ({ target }) => target)) {
    const { id } = await findPushTarget(trx, name)
    await addMappings(
      trx,
      id,
      group.map(({ group: sourceKey, name: sourceName, targetName }) => {
        return { sourceKey, sourceName: sourceName ?? sourceKey, targetName: targetName ?? null, ruleId: null }
      }),
    )
  }
}
