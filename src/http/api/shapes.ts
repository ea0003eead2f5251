import { type TSchema, Type } from 'typebox'
import {
  apiRoles,
  conflictPolicies,
  deletedGroupsSettings,
  nestedGroupsSettings,
  offerSettings,
  unknownMembersSettings,
} from '../../database/tables.ts'
import { providers } from '../../scim/quirks.ts'

/** A moment in UTC, RFC 3339; routes answer with a Date. */
export const Time = Type.Unsafe<Date | string>({ type: 'string', format: 'date-time' })

/** A moment of the past that is asked for. */
export const PastMoment = (description: string) =>
  Type.String({
    maxLength: 40,
    description: `${description}: a time, RFC 3339, or the id of a log entry, which means right after it`,
  })

/** A UUIDv7. */
export const Id = Type.String({ format: 'uuid' })

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** One of these words. */
export const OneOf = <const T extends readonly string[]>(words: T, description?: string) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...words], ...(description === undefined ? {} : { description }) })

export const Role = OneOf(apiRoles, "An auditor reads all and writes nothing; an admin writes all but owners' tokens")
export const Provider = OneOf(providers)
export const ConflictPolicy = OneOf(conflictPolicies, 'What becomes of a pushed group whose name an unmanaged group has')
export const UnknownMembers = OneOf(unknownMembersSettings, 'What becomes of a member who is no user of this directory')
export const NestedGroups = OneOf(
  nestedGroupsSettings,
  'What becomes of a member that is a group of this directory: its members are members, or the push is a 400',
)
export const DeletedGroups = OneOf(
  deletedGroupsSettings,
  'What becomes of a synced group that the provider deletes: it stays, with members and access, unmanaged; or is deleted, restorable for 30 days',
)
export const OfferExistingGroups = OneOf(
  offerSettings,
  'Which unmanaged groups the provider is shown, to link to them: their names, with members, or none',
)

/** What people have through one group alone. */
export const ThroughGroup = Type.Object({
  members: Type.Integer(),
  inactive: Type.Integer({ description: 'Members who are switched off' }),
  access: Type.Object(
    {
      accesses: Type.Integer({ description: '(person, site, product, role) that no other group gives' }),
      people: Type.Integer(),
      withNoOther: Type.Integer({ description: 'People who have no other access at all' }),
    },
    { description: 'Net: what goes, or comes, with this group' },
  ),
  roles: Type.Array(
    Type.Object({
      site: Type.String(),
      product: Type.String(),
      role: Type.String(),
      isDefault: Type.Boolean(),
      people: Type.Integer({ description: 'Who has it through this group alone' }),
      isLastHolder: Type.Boolean({ description: 'An administrative role that nobody else has' }),
    }),
  ),
  fingerprint: Type.String({ description: 'SHA-256 in hex of the answer' }),
})

/** A token as it is shown. */
export const token = {
  id: Id,
  hint: Type.String({ description: 'Its last four characters' }),
  createdBy: Type.String(),
  createdAt: Time,
  expiresAt: Time,
  lastUsedAt: Nullable(Time),
  revokedAt: Nullable(Time),
}
export const Secret = Type.String({ description: 'Shown once' })
export const ExpiresInDays = Type.Optional(Type.Integer({ minimum: 1, maximum: 3_650, description: 'Days; 365 if not said' }))

/** What a DELETE answers. */
export const NoContent = Type.Unsafe<void>({ type: 'null', description: 'Done' })
