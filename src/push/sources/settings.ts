import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { Refusal } from '../../organization/refusal.ts'

const text = (description: string, maxLength = 1_024) => Type.String({ minLength: 1, maxLength, description })
const attribute = Type.String({ minLength: 1, maxLength: 255, pattern: '^[A-Za-z][A-Za-z0-9.;-]*$' })

const FolderSource = Type.Object(
  {
    kind: Type.Literal('folder'),
    path: text('A folder with users.csv, groups.csv and members.csv, or users.json and groups.json'),
  },
  { additionalProperties: false },
)

const LdapAttributes = Type.Object(
  {
    id: Type.Optional(attribute),
    userName: Type.Optional(attribute),
    email: Type.Optional(attribute),
    displayName: Type.Optional(attribute),
    groupName: Type.Optional(attribute),
    description: Type.Optional(attribute),
  },
  { additionalProperties: false, description: 'Which attribute says what' },
)

const LdapSource = Type.Object(
  {
    kind: Type.Literal('ldap'),
    url: Type.String({ maxLength: 1_024, pattern: '^ldaps?://[^/]+/?$', description: 'ldaps://ldap.example.org:636' }),
    startTls: Type.Optional(Type.Boolean({ description: 'Whether ldap:// is upgraded to TLS before anything is said' })),
    ca: Type.Optional(Type.String({ maxLength: 65_536, description: 'An authority’s certificate, PEM, beside the known ones' })),
    bindDn: Type.Optional(text('Who reads; the password is the secret. Nobody: anonymous')),
    userBase: text('Where people are: ou=people,dc=example,dc=org'),
    groupBase: text('Where groups are: ou=groups,dc=example,dc=org'),
    userFilter: Type.Optional(text('Which entries are people', 4_096)),
    groupFilter: Type.Optional(text('Which entries are groups', 4_096)),
    pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    attributes: Type.Optional(LdapAttributes),
  },
  { additionalProperties: false },
)
export type LdapAttribute = keyof Static<typeof LdapAttributes>

const httpUrl = Type.String({ maxLength: 1_024, pattern: '^https?://.+' })

const ScimSource = Type.Object(
  { kind: Type.Literal('scim'), url: httpUrl, ca: Type.Optional(Type.String({ maxLength: 65_536 })) },
  { additionalProperties: false },
)

const OktaSource = Type.Object(
  {
    kind: Type.Literal('okta'),
    url: httpUrl,
    userName: Type.Optional(Type.Union([Type.Literal('login'), Type.Literal('email')])),
    ca: Type.Optional(Type.String({ maxLength: 65_536 })),
  },
  { additionalProperties: false },
)

/** People and groups of this Muster's own organization. */
const BuiltInSource = Type.Object({ kind: Type.Literal('built-in') }, { additionalProperties: false })

/** Where people and groups are read from, and how. The secret (a password, a token) is not among it. */
export const SourceSettings = Type.Union([FolderSource, LdapSource, ScimSource, OktaSource, BuiltInSource])
export type SourceSettings = Static<typeof SourceSettings>
export type SettingsOf<Kind extends SourceSettings['kind']> = Extract<SourceSettings, { kind: Kind }>

/** Settings from outside. @throws Refusal `invalid_value` */
export function readSourceSettings(given: unknown): SourceSettings {
  if (Value.Check(SourceSettings, given)) return given
  const { kind } = (typeof given === 'object' && given !== null ? given : {}) as { kind?: unknown }
  const schema = [FolderSource, LdapSource, ScimSource, OktaSource, BuiltInSource].find(
    (one) => one.properties.kind.const === kind,
  )
  const error = schema ? Value.Errors(schema, given)[0] : undefined
  const why = error ? `${error.instancePath.slice(1) || 'It'} ${error.message}` : 'kind is folder, ldap, scim, okta or built-in'
  throw new Refusal('invalid_value', `The source's settings are not right: ${why}.`, {
    field: error?.instancePath.slice(1) ?? 'kind',
  })
}
