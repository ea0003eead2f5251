import { type Static, type TSchema, Type } from 'typebox'
import { groupReasons, groupStates, syncChoices } from '../../database/tables.ts'
import type { Asked } from '../../review/chosen.ts'
import { memberChanges } from '../../review/differences.ts'
import type { Facets as FacetCounts } from '../../review/facets.ts'
import { effectFilters, memberFilters, reviewedStates } from '../../review/filter.ts'
import { presets } from '../../review/selection.ts'
import { warningCodes } from '../../review/warnings.ts'
import { stepKinds } from '../../review/why.ts'
import { Id, Nullable, OneOf, Time } from './shapes.ts'

const Count = Type.Integer()
const Fingerprint = Type.String({ description: 'SHA-256 in hex of the answer; changes with it and with nothing else' })
const Access = { site: Type.String(), product: Type.String(), role: Type.String() }

export const Figures = { lost: Count, gained: Count, peopleLosing: Count, peopleGaining: Count, leftWithNone: Count }
export const JointFigures = { ...Figures, jointLosses: Count }

export const Review = Type.Object({
  group: Type.Object({ id: Id, name: Type.String() }, { description: 'The pushed group; its id is the SCIM id too' }),
  existing: Nullable(
    Type.Object({
      id: Id,
      name: Type.String(),
      description: Nullable(Type.String()),
      memberCount: Count,
      managedBy: Nullable(Type.String()),
    }),
  ),
  state: OneOf(groupStates),
  reasons: Type.Array(OneOf(groupReasons)),
  filling: Type.Boolean({ description: 'Members were written within the quiet time' }),
  pushedAt: Time,
  members: Type.Object({ added: Count, removed: Count, unchanged: Count }),
  access: Type.Object(Figures, { description: 'Net, of this group alone' }),
  productAccess: Type.Array(Type.Object({ ...Access, isDefault: Type.Boolean() })),
  warnings: Type.Array(Type.Object({ code: OneOf(warningCodes), count: Count })),
  fingerprint: Fingerprint,
  viewed: Type.Boolean({ description: 'Marked as viewed, with this fingerprint' }),
  can: Type.Array(OneOf(['sync'])),
  cannot: Type.Array(Type.Object({ what: OneOf(['sync']), why: Type.String() })),
})

/** What may be chosen for a group that needs review. */
const runChoices = syncChoices.filter(
  (choice) => choice !== 'drop_kept' && choice !== 'restore' && choice !== 'allow' && choice !== 'reject',
)

const filter = {
  state: Type.Optional(OneOf([...reviewedStates, 'all'], 'needs_review if not said')),
  search: Type.Optional(Type.String({ maxLength: 255, description: "Part of the group's name" })),
  effect: Type.Optional(OneOf(effectFilters, 'Alone: takes access from somebody, gives some, or neither')),
  members: Type.Optional(OneOf(memberFilters, 'additions: nobody is removed; removals: somebody is')),
  site: Type.Optional(Type.String({ maxLength: 255, description: 'Has access on this site' })),
  product: Type.Optional(Type.String({ maxLength: 255, description: 'Has access to a product of this name' })),
  role: Type.Optional(Type.String({ maxLength: 255, description: 'Takes this role from somebody' })),
  warning: Type.Optional(OneOf(warningCodes)),
  viewed: Type.Optional(Type.Boolean()),
}

export const Filter = Type.Object(filter, { additionalProperties: false })
/** The filter in a query, beside what every list has. */
export const filterQuery = (({ search: _, ...rest }) => rest)(filter)

const Ids = Type.Array(Type.String({ maxLength: 255 }), { maxItems: 100_000, description: 'Ids or names of pushed groups' })
export const Selection = Type.Union([
  Type.Object({ mode: Type.Literal('ids'), ids: Ids }, { additionalProperties: false }),
  Type.Object({ mode: Type.Literal('filter'), filter: Filter, except: Type.Optional(Ids) }, { additionalProperties: false }),
])

const byGroup = <Of extends TSchema>(of: Of, description: string) =>
  Type.Optional(Type.Record(Type.String({ maxLength: 255 }), of, { maxProperties: 10_000, description }))

/** What is to become of groups, beside which are meant. */
export const choicesOf = {
  kind: Type.Optional(OneOf(['sync', 'drop_kept'] as const, 'sync if not said; drop_kept: members whom a merge kept go')),
  people: Type.Optional(
    Type.Array(Type.String({ maxLength: 255 }), {
      maxItems: 100_000,
      description: 'drop_kept: who goes, by id, user name or e-mail; all who are kept if not said',
    }),
  ),
  defaultChoice: Type.Optional(OneOf(runChoices, 'overwrite if not said')),
  choices: byGroup(OneOf(runChoices), 'What is chosen for single groups, by id or name'),
  newNames: byGroup(
    Type.String({ maxLength: 1_024 }),
    'rename_existing: what the existing group is called after, by id or name of the pushed one; a free name like its own if not said',
  ),
  links: byGroup(
    Type.String({ maxLength: 255 }),
    'overwrite, merge: the existing group that the pushed one is linked to first, whatever its name: by id or name of the pushed one, its own id or name',
  ),
}

type Choosing = { [Part in keyof typeof choicesOf]?: Static<(typeof choicesOf)[Part]> }

/** A body as the review reads it. */
export const askedOf = ({
  selection,
  kind,
  people,
  defaultChoice = 'overwrite',
  choices,
  newNames,
  links,
}: Choosing & Pick<Asked, 'selection'>): Asked =>
  kind === 'drop_kept'
    ? { selection, choice: 'drop_kept', people }
    : { selection, choice: defaultChoice, choices, newNames, links }

export const Effect = Type.Object({
  directory: Type.String(),
  groups: Count,
  blocked: Type.Integer({ description: 'Blocked groups among what was asked for: left out' }),
  members: Type.Object({ added: Count, removed: Count }),
  access: Type.Object(JointFigures, { description: 'Net, of all of them together' }),
  matrix: Type.Array(Type.Object({ site: Type.String(), role: Type.String(), lost: Count, gained: Count, peopleLosing: Count })),
  warnings: Type.Array(
    Type.Object({
      code: OneOf(warningCodes),
      groups: Count,
      people: Type.Optional(Count),
      percent: Type.Optional(
        Type.Integer({
          description: 'guard_passed: how many of a hundred members may go, where the directory has another limit than 25',
        }),
      ),
      of: Type.Optional(
        Type.Array(Type.Object({ ...Access, role: Type.Optional(Type.String()) }), {
          description: 'last_admin: the roles that lose their last holder; seats_exceeded: the products',
        }),
      ),
    }),
  ),
  jointLosses: Type.Object(
    { accesses: Count, groups: Type.Array(Id) },
    { description: 'What they take together and none of them alone' },
  ),
  fingerprint: Fingerprint,
})

export const PresetAnswer = Type.Object({
  preset: OneOf(presets),
  selection: Selection,
  groups: Count,
  dropped: Type.Array(
    Type.Object({ group: Type.Object({ id: Id, name: Type.String() }), why: Type.Literal('joint_loss'), accesses: Count }),
  ),
  effect: Effect,
})

const counts = (words: readonly string[]) => Type.Object(Object.fromEntries(words.map((word) => [word, Count])))
export const Facets = Type.Unsafe<FacetCounts>(
  Type.Object({
    total: Count,
    state: counts(reviewedStates),
    effect: counts(effectFilters),
    members: counts(memberFilters),
    warning: counts(warningCodes),
    viewed: counts(['yes', 'no']),
    sites: Type.Array(Type.Object({ site: Type.String(), groups: Count })),
    products: Type.Array(Type.Object({ site: Type.String(), product: Type.String(), groups: Count })),
    roles: Type.Array(Type.Object({ role: Type.String(), groups: Count })),
  }),
)

export const Member = Type.Object({
  id: Id,
  userName: Type.String(),
  email: Nullable(Type.String()),
  displayName: Nullable(Type.String()),
  active: Type.Boolean(),
  change: OneOf(memberChanges.filter((change) => change !== 'changes' && change !== 'all')),
})

const Through = Type.Object({ id: Id, name: Type.String() })
const Who = Type.Object({
  id: Id,
  userName: Type.String(),
  displayName: Nullable(Type.String()),
  email: Nullable(Type.String()),
  active: Type.Boolean(),
})
export const KeptMember = Type.Object({ group: Through, person: Who, since: Time })
export const Person = Type.Object({
  person: Who,
  groups: Type.Array(Type.Object({ id: Id, name: Type.String(), change: OneOf(['added', 'removed']) })),
  lost: Type.Array(
    Type.Object({ ...Access, through: Type.Array(Through), stillHas: Type.Array(Type.String()), isJoint: Type.Boolean() }),
  ),
  gained: Type.Array(Type.Object({ ...Access, through: Type.Array(Through) })),
  kept: Type.Array(
    Type.Object({ ...Access, through: Type.Array(Type.Object({ ...Through.properties, alsoRemoves: Type.Boolean() })) }),
  ),
  leftWithNone: Type.Boolean(),
})

export const Grant = Type.Object({
  roleId: Id,
  ...Access,
  isDefault: Type.Boolean(),
  before: Count,
  after: Count,
  lost: Count,
  gained: Count,
  losesLastAdmin: Type.Boolean(),
})

/** The chain of a «why», link by link. */
export const WhySteps = Type.Array(
  Type.Object({
    what: OneOf(stepKinds),
    holds: Nullable(Type.Boolean({ description: 'Null: told for information, nothing depends on it' })),
    text: Type.String(),
    at: Type.Optional(Time),
  }),
)
