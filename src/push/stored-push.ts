import type { Db, Scope } from '../database/connection.ts'
import type { PushMappingId, PushTargetId } from '../database/ids.ts'
import type { SecretKeys } from '../database/secrets.ts'
import { inTransaction, reading } from '../database/transaction.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Reach } from '../outgoing/address.ts'
import { lossStops } from './guard.ts'
import { type KnownGroup, keyOf, type MadePlan, makePlan, type ReadSource } from './make-plan.ts'
import { matcherOf, targetNameOf } from './rules.ts'
import { type Source, SourceError, type SourceGroup } from './source.ts'
import { readBuiltIn } from './sources/built-in.ts'
import { readSource } from './sources/read-source.ts'
import type { SourceSettings } from './sources/settings.ts'
import { addMappings, type MappingWithMembers, mappingsOf, type NewMapping, noteMatches } from './stored/mappings.ts'
import { listPushRules, type StoredRule } from './stored/rules.ts'
import { findPushSource, noteSourceRead, type StoredSource, secretOfSource } from './stored/sources.ts'
import { findPushTarget, type StoredTarget, secretOfTarget } from './stored/targets.ts'
import { type ScimTarget, scimTarget } from './target/scim-target.ts'

/** Where stored pushes happen: an organization, what opens its secrets, where requests may go. */
export interface PushWorld {
  db: Db
  scope: Scope
  keys: SecretKeys
  reach: Reach
}

/** A target, opened, and its source as it is mapped. */
export interface OpenedPush {
  target: StoredTarget
  scim: ScimTarget
  from: ReadSource
  /** By the name in the target. */
  mappings: Map<string, MappingWithMembers>
  known: Map<string, KnownGroup>
  mayDelete: Set<string>
  overdue: PushMappingId[]
  source: StoredSource
  counts: { people: number; groups: number; memberships: number }
}

/** Reads a stored source to its end, outside any transaction. @throws SourceError */
export async function readStoredSource({ db, scope, keys, reach }: PushWorld, source: StoredSource): Promise<Source> {
  if (source.settings.kind === 'built-in') return reading(db, scope, readBuiltIn)
  const secret = await reading(db, scope, (reader) => secretOfSource(reader, keys, source.id))
  return readSource(source.settings as SourceSettings, secret, reach)
}

/** Opens a stored target. Nothing is sent. */
export async function openStoredTarget({ db, scope, keys, reach }: PushWorld, target: StoredTarget): Promise<ScimTarget> {
  const token = await reading(db, scope, (reader) => secretOfTarget(reader, keys, target.id))
  const profile = target.profile === 'learnt' ? undefined : target.profile
  return scimTarget({ url: target.url, token, reach, profile, ...(target.ca === null ? {} : { ca: target.ca }) })
}

/**
 * Reads a target's source, has its rules map what matches, and opens the target. What was read wrongly is noted with the source, and
 * nothing is concluded from it.
 * @throws Refusal `not_found`, SourceError
 */
export async function openPush(world: PushWorld, given: string): Promise<OpenedPush> {
  const { db, scope } = world
  const { target, stored } = await reading(db, scope, async (reader) => {
    const found = await findPushTarget(reader, given)
    return { target: found, stored: await findPushSource(reader, found.source.id) }
  })
  const source = await readStoredSource(world, stored).catch(async (error: unknown) => {
    if (error instanceof SourceError)
      await inTransaction(db, scope, (trx) => noteSourceRead(trx, stored.id, { counts: null, error: error.lines.join('\n') }))
    throw error
  })
  const mappings = await inTransaction(db, scope, (trx) => {
    // An empty source says nothing of what is gone: the guard will stop it.
    if (source.groups.length === 0) return mappingsOf(trx, target.id)
    return matched(trx, target.id, source)
  })
  return {
    target,
    source: stored,
    counts: {
      people: source.users.length,
      groups: source.groups.length,
      memberships: source.groups.reduce((sum, { members }) => sum + members.length, 0),
    },
    scim: await openStoredTarget(world, target),
    ...mappedSource(source, mappings, stored),
  }
}

async function matched(trx: Parameters<typeof addMappings>[0], target: PushTargetId, source: Source) {
  const rules = (await listPushRules(trx, {}, target)).items
  await addMappings(trx, target, newMatches(rules, source.groups))
  const byKey = new Map(source.groups.map((group) => [keyOf(group), group]))
  const byRule = new Map(rules.map((rule) => [rule.id, { matches: matcherOf(rule.condition), rule }]))
  const all = await mappingsOf(trx, target)
  await noteMatches(
    trx,
    target,
    all.map(({ id, sourceKey, sourceName, ruleId }) => {
      const group = byKey.get(sourceKey)
      const by = ruleId === null ? undefined : byRule.get(ruleId)
      const isUnmatched = group !== undefined && by !== undefined && !by.matches(group)
      const stops = isUnmatched && (by?.rule.condition.whenUnmatched ?? 'flag') !== 'flag'
      return { id, sourceName: group?.name ?? sourceName, isGone: group === undefined, isUnmatched, stops }
    }),
  )
  return mappingsOf(trx, target)
}

/** What rules map of a source's groups; of several rules, the first by name. */
export function newMatches(rules: Pick<StoredRule, 'id' | 'condition'>[], groups: SourceGroup[]): NewMapping[] {
  const tests = rules.map((rule) => ({ rule, matches: matcherOf(rule.condition) }))
  return groups.flatMap((group) => {
    const found = tests.find(({ matches }) => matches(group))
    if (!found) return []
    const { template } = found.rule.condition
    const targetName = template === undefined ? null : targetNameOf(template, group.name)
    return [{ sourceKey: keyOf(group), sourceName: group.name, targetName, ruleId: found.rule.id }]
  })
}

/** The part of a source that is mapped, by the names in the target: its groups, and the people in them. */
function mappedSource(source: Source, mappings: MappingWithMembers[], { id, settings }: StoredSource) {
  const byKey = new Map(source.groups.map((group) => [keyOf(group), group]))
  const groups: SourceGroup[] = []
  const known = new Map<string, KnownGroup>()
  const byName = new Map<string, MappingWithMembers>()
  for (const mapping of mappings) {
    const group = byKey.get(mapping.sourceKey)
    if (!group || mapping.state === 'inactive') continue
    const mapped = { ...group, name: mapping.targetName ?? group.name }
    groups.push(mapped)
    byName.set(mapped.name, mapping)
    if (mapping.targetGroupId !== null) known.set(keyOf(mapped), { id: mapping.targetGroupId, confirmed: mapping.confirmed })
  }
  const members = new Set(groups.flatMap((group) => group.members))
  const overdue = mappings.filter((mapping) => mapping.isOverdue && mapping.state !== 'inactive')
  return {
    from: {
      kind: settings.kind,
      place: id,
      source: { ...source, users: source.users.filter((user) => members.has(user.id)), groups },
    },
    mappings: byName,
    known,
    mayDelete: new Set(overdue.flatMap(({ targetGroupId }) => targetGroupId ?? [])),
    overdue: overdue.map((mapping) => mapping.id),
  }
}

/** Compares a push that is open with its target. */
export async function planOf(push: OpenedPush, allowRemovals: number): Promise<MadePlan> {
  if (push.target.isPaused) throw new Refusal('push_in_use', `The target ${push.target.name} is paused.`)
  const made = await makePlan({
    from: push.from,
    target: push.scim,
    known: push.known,
    mayDelete: push.mayDelete,
    keepsPeople: true,
    options: { removeAbsent: true, allowRemovals },
  })
  made.plan.stops.push(...lossStops(push.source.counts, push.counts, allowRemovals))
  return made
}
