import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type DirectoryId, isId, type ProvisionedGroupId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import { nameKey } from '../organization/name-key.ts'
import { accessEffects } from './access-effects.ts'
import { syncOf } from './differences.ts'
import type { ReviewFilter } from './filter.ts'
import { matchingReviews } from './review.ts'
import type { ReviewHeading } from './summaries.ts'

/** Which groups are meant: these (by id or name), or all that match a filter but these. Never 100,000 ids from a browser. */
export type Selection = { mode: 'ids'; ids: string[] } | { mode: 'filter'; filter: ReviewFilter; except?: string[] }

export interface Chosen {
  /** The groups that need review, in the order of their names. */
  ids: ProvisionedGroupId[]
  /** How many groups are blocked that would else be among them: listed, never selected. */
  blocked: number
  /** What was asked for by id or name and is no pushed group of the directory. */
  missing: string[]
}

/** The groups of a directory that a selection means, of those that need review. What is settled or blocked is left out. */
export async function chosenGroups(reader: Reader, directoryId: DirectoryId, selection: Selection): Promise<Chosen> {
  if (selection.mode === 'ids') {
    const found = await groupsCalled(reader, directoryId, selection.ids)
    const called = new Set(found.flatMap(({ id, nameKey: key }) => [id as string, key]))
    return chosen(
      found,
      selection.ids.filter((asked) => !called.has(asked.toLowerCase()) && !called.has(nameKey(asked))),
    )
  }
  const except = new Set((await groupsCalled(reader, directoryId, selection.except ?? [])).map(({ id }) => id))
  const { state = 'needs_review', ...rest } = selection.filter
  // Blocked groups are counted by the same filter. A filter for another state selects nothing.
  const matching = (await matchingReviews(reader, directoryId, { ...rest, state: 'all' }, false)).map(({ heading }) => heading)
  return chosen(
    matching.filter(
      (heading) => !except.has(heading.id) && (state === 'all' || state === 'needs_review' || state === heading.state),
    ),
    [],
  )
}

type Candidate = Pick<ReviewHeading, 'id' | 'nameKey' | 'state'>

function chosen(candidates: Candidate[], missing: string[]): Chosen {
  const selectable = candidates.filter(({ state }) => state === 'needs_review')
  selectable.sort((a, b) => (a.nameKey < b.nameKey ? -1 : a.nameKey > b.nameKey ? 1 : 0))
  return { ids: selectable.map(({ id }) => id), blocked: candidates.filter(({ state }) => state === 'blocked').length, missing }
}

/** The pushed groups of a directory that are called so, by id or name. */
export async function groupsCalled(
  reader: Reader,
  directoryId: DirectoryId,
  idsOrNames: readonly string[],
): Promise<Candidate[]> {
  const { rows } = await sql<Candidate>`
    select p.id, p.name_key as "nameKey", p.state from provisioned_groups p
    where p.org_id = ${reader.orgId} and p.directory_id = ${directoryId} and p.id = any(${idsOrNames.filter(isId)}::uuid[])
    union
    select p.id, p.name_key, p.state from provisioned_groups p
    where p.org_id = ${reader.orgId} and p.directory_id = ${directoryId} and p.name_key = any(${idsOrNames.map(nameKey)}::text[])`.execute(
    reader,
  )
  return rows
}

export const presets = ['no_member_change', 'no_access_effect', 'takes_nothing', 'all'] as const
type Preset = (typeof presets)[number]

interface PresetGroups extends Chosen {
  /** Groups that are harmless alone and not together: they take part in losses that no single review shows. */
  dropped: { group: { id: ProvisionedGroupId; name: string }; why: 'joint_loss'; accesses: number }[]
}

/** The groups of a preset among those that match a filter, computed together: a set, not a row filter. */
export async function presetGroups(
  reader: Reader,
  directoryId: DirectoryId,
  preset: Preset,
  filter: ReviewFilter = {},
): Promise<PresetGroups> {
  const { ids, blocked, missing } = await chosenGroups(reader, directoryId, { mode: 'filter', filter })
  if (preset === 'all') return { ids, blocked, missing, dropped: [] }
  const among = new Set(ids)
  const needEffects = preset !== 'no_member_change'
  const reviews = (await matchingReviews(reader, directoryId, {}, needEffects)).filter(({ heading }) => among.has(heading.id))
  const harmless = new Set(
    reviews
      .filter(({ heading, effect }) => {
        if (preset === 'no_member_change') return heading.added === 0 && heading.removed === 0
        return effect !== undefined && effect.lost === 0 && (preset === 'takes_nothing' || effect.gained === 0)
      })
      .map(({ heading }) => heading.id),
  )
  const start = ids.filter((id) => harmless.has(id))
  if (!needEffects) return { ids: start, blocked, missing, dropped: [] }
  const { kept, dropped } = await withoutJointLosses(reader, start)
  return { ids: kept, blocked, missing, dropped }
}

/**
 * Of groups that take nothing alone, those that take nothing together: drops every group that takes part in a loss and computes
 * again until nothing is lost. Once is not enough, since a dropped group may have been the one that gave what another takes.
 */
async function withoutJointLosses(
  reader: Reader,
  start: ProvisionedGroupId[],
): Promise<{ kept: ProvisionedGroupId[]; dropped: PresetGroups['dropped'] }> {
  const dropped: PresetGroups['dropped'] = []
  let kept = start
  for (;;) {
    const losing = await groupsInJointLosses(reader, kept)
    if (losing.length === 0) return { kept, dropped }
    for (const { id, name, accesses } of losing) dropped.push({ group: { id, name }, why: 'joint_loss', accesses })
    const gone = new Set(losing.map(({ id }) => id))
    kept = kept.filter((id) => !gone.has(id))
  }
}

async function groupsInJointLosses(
  reader: Reader,
  ids: readonly ProvisionedGroupId[],
): Promise<{ id: ProvisionedGroupId; name: string; accesses: number }[]> {
  return inHashes(
    reader,
    sql<{ id: ProvisionedGroupId; name: string; accesses: number }>`
    with ${accessEffects(reader, syncOf(reader, ids))},
    losing as (select id, count(*)::integer as accesses from weighed where lost and not gives and givers > 1 group by id)
    select s.id, s.name, l.accesses from losing l join selected s on s.id = l.id order by s.id`,
  )
}
