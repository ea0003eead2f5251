import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { isId, type ProvisionedGroupId } from '../database/ids.ts'
import type { GroupState } from '../database/tables.ts'
import { Refusal } from '../organization/refusal.ts'
import { type Choices, syncOf } from '../review/differences.ts'
import { type Effect, type EffectDelta, effectDelta } from '../review/effect.ts'
import { type ReviewEffect, type ReviewHeading, reviewEffects, reviewHeadings } from '../review/summaries.ts'

/** A group's review as the caller saw it. */
export interface ReviewedGroup {
  group: string
  fingerprint: string
  name?: string | undefined
  members?: { added: number; removed: number } | undefined
  access?: { lost: number; gained: number } | undefined
}

interface Figures {
  state: GroupState
  name: string
  members: { added: number; removed: number }
  access: { lost: number; gained: number }
}

/** A group whose answer is another than the reviewed one. `what` is the first of these that differs; `review`: something else of it. */
export interface ChangedGroup {
  group: { id: string; name: string | null }
  what: 'state' | 'name' | 'members' | 'access' | 'review'
  /** Who changed the group last, and when; not known where its access changed through another group. */
  by: string | null
  at: Date | null
  before: Partial<Figures>
  /** Null where the group is no more. */
  after: Figures | null
}

/** Whether the fingerprint is the one group's own, as its review shows it. */
export async function isSingleReviewOf(
  reader: Reader,
  ids: readonly ProvisionedGroupId[],
  fingerprint: string,
  choices: Choices,
): Promise<boolean> {
  if (ids.length !== 1) return false
  const [review] = await reviewEffects(reader, syncOf(reader, ids, choices))
  return review?.fingerprint === fingerprint
}

/** The refusal that says what is other now, with the new figures and their fingerprint. */
export async function reviewChanged(
  reader: Reader,
  seen: { reviewed?: ReviewedGroup[] | undefined; effect?: EffectDelta | undefined },
  effect: Effect,
  blocked: number,
): Promise<Refusal> {
  const changed = await changedGroups(reader, seen.reviewed ?? [])
  const { fingerprint, ...figures } = effect
  const which =
    changed.length === 0 ? 'The review' : changed.length === 1 ? `"${changed[0]?.group.name}"` : `${changed.length} groups`
  return new Refusal(
    'review_changed',
    `${which} changed while you were looking. Nothing was synced. Look at the new figures, then sync with their fingerprint.`,
    {
      changed,
      fingerprint,
      effect: { ...figures, blocked, fingerprint },
      ...(seen.effect ? { effectDelta: effectDelta(seen.effect, effect) } : {}),
    },
  )
}

async function changedGroups(reader: Reader, reviewed: ReviewedGroup[]): Promise<ChangedGroup[]> {
  const ids = reviewed.map(({ group }) => group).filter(isId) as ProvisionedGroupId[]
  if (ids.length === 0) return []
  const effects = new Map((await reviewEffects(reader, syncOf(reader, ids))).map((effect) => [effect.id as string, effect]))
  const headings = new Map((await reviewHeadings(reader, { ids })).map((heading) => [heading.id as string, heading]))
  const others = reviewed.filter(({ group, fingerprint }) => effects.get(group.toLowerCase())?.fingerprint !== fingerprint)
  const last = await lastChanges(reader, others.map(({ group }) => group).filter(isId) as ProvisionedGroupId[])
  return others.map((before) => {
    const id = before.group.toLowerCase()
    const change = difference(before, headings.get(id), effects.get(id))
    return { ...change, ...(change.what === 'access' ? unknown : (last.get(id) ?? unknown)) }
  })
}

const unknown = { by: null, at: null }

function difference(
  seen: ReviewedGroup,
  heading: ReviewHeading | undefined,
  effect: ReviewEffect | undefined,
): Omit<ChangedGroup, 'by' | 'at'> {
  const { name, members, access } = seen
  const before = { ...(name === undefined ? {} : { name }), ...(members ? { members } : {}), ...(access ? { access } : {}) }
  if (heading === undefined || effect === undefined)
    return { group: { id: seen.group, name: name ?? null }, what: 'state', before, after: null }
  const after: Figures = {
    state: heading.state,
    name: heading.name,
    members: { added: heading.added, removed: heading.removed },
    access: { lost: effect.lost, gained: effect.gained },
  }
  return { group: { id: heading.id, name: heading.name }, what: whatDiffers(before, after), before, after }
}

function whatDiffers(before: Partial<Figures>, after: Figures): ChangedGroup['what'] {
  if (after.state !== 'needs_review') return 'state'
  if (before.name !== undefined && before.name !== after.name) return 'name'
  if (before.members && (before.members.added !== after.members.added || before.members.removed !== after.members.removed))
    return 'members'
  if (before.access && (before.access.lost !== after.access.lost || before.access.gained !== after.access.gained)) return 'access'
  return 'review'
}

async function lastChanges(reader: Reader, ids: readonly ProvisionedGroupId[]): Promise<Map<string, { by: string; at: Date }>> {
  const { rows } = await sql<{ id: string; by: string; at: Date }>`
    select p.id, l.actor as by, l.at from provisioned_groups p
    cross join lateral (
      select actor, at from log_entries where org_id = ${reader.orgId} and subject in (p.id, p.group_id) order by id desc limit 1
    ) l
    where p.org_id = ${reader.orgId} and p.id = any(${ids}::uuid[])`.execute(reader)
  return new Map(rows.map(({ id, by, at }) => [id, { by, at }]))
}
