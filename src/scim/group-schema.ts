import { type Attribute, complex, count, reference, text } from './attributes.ts'

export const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const syncGroupUrn = 'urn:muster:params:scim:schemas:extension:sync:1.0:Group'

/** The Group of RFC 7643 §4.2. */
export const groupAttributes: readonly Attribute[] = [
  text('displayName', 'The name of the group, unique in the directory whatever its case.', {
    required: true,
    uniqueness: 'server',
  }),
  complex(
    'members',
    'The members that the directory has pushed.',
    [
      text('value', 'The id of the user or group.', { caseExact: true, mutability: 'immutable' }),
      reference('$ref', 'The URI of the user or group.', ['User', 'Group'], { mutability: 'immutable' }),
      // What a client did not send must not come back unasked: who compares would see another member.
      text('display', 'The user name of the user, the name of the group; only where it is asked for by name.', {
        mutability: 'readOnly',
        returned: 'request',
      }),
      text('type', 'User or Group.', { canonicalValues: ['User', 'Group'], mutability: 'immutable' }),
    ],
    { multiValued: true },
  ),
]

/** What became of a pushed group here: read-only, so that the provider's own log shows it. */
export const syncGroup: Attribute = complex(
  syncGroupUrn,
  'Sync',
  [
    text('state', 'Whether what was pushed is in force; offered: nothing was pushed yet, the group may be linked to.', {
      caseExact: true,
      mutability: 'readOnly',
      canonicalValues: ['ready', 'needs_review', 'blocked', 'synced', 'held', 'ignored', 'offered'],
    }),
    text('reasons', 'Why it is in this state.', {
      multiValued: true,
      caseExact: true,
      mutability: 'readOnly',
      canonicalValues: [
        'name_taken',
        'linked',
        'deleted_before',
        'default_access_group',
        'managed_elsewhere',
        'protected',
        'guard_passed',
        'last_admin',
      ],
    }),
    complex(
      'members',
      'How many members a sync would add, remove and keep.',
      [
        count('added', 'Pushed, and not in force yet.', { mutability: 'readOnly' }),
        count('removed', 'In force, and no longer pushed.', { mutability: 'readOnly' }),
        count('unchanged', 'Pushed and in force.', { mutability: 'readOnly' }),
      ],
      { mutability: 'readOnly' },
    ),
  ],
  { mutability: 'readOnly' },
)
