import type { Attribute } from './attributes.ts'
import { isObject } from './json.ts'
import { find, resolveName, sameName } from './names.ts'
import type { ResourceType } from './schemas.ts'

/** The identity providers whose habits we know; `other` is any SCIM 2.0 client. */
export const providers = [
  'okta',
  'entra',
  'google',
  'keycloak',
  'jumpcloud',
  'onelogin',
  'ping',
  'sailpoint',
  'aws',
  'ldap',
  'other',
] as const
export type Provider = (typeof providers)[number]

/** A habit of providers that departs from the RFCs. Names, URNs and operators in any case are none: the RFCs allow them. */
interface Quirk {
  /** Where it is described: the provider's own page, or the tracker of a server that met it. */
  readonly source: string
  readonly of: readonly Provider[]
  /** Puts one value straight, before it is read as its attribute's type wants it. */
  readonly value?: (value: unknown, attribute: Attribute) => unknown
  /** Puts one operation of a PATCH straight: another one, or several, in their order. */
  readonly operation?: (operation: Written, type: ResourceType) => Written[]
}

/** An operation of a PATCH as it was written, its operator in lower case. */
export interface Written {
  readonly op: unknown
  readonly path: string | undefined
  readonly value: unknown
}

// Okta and Google publish what they send, and it is the RFCs' own form. Of the others there are several clients, or an admin
// writes the mappings: what can be meant in one way only is read from them all.
const unpublished = providers.filter((provider) => provider !== 'okta' && provider !== 'google')

/** Every quirk we know, by name. Where two apply to one value they do so in this order. */
const quirks = {
  /** `{"op": "Remove", "path": "members", "value": [{"value": "x"}]}` takes these; by RFC 7644 §3.5.2.2 it would take everybody, so everyone is read so. */
  removeNamesValues: {
    source:
      'https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility',
    of: providers,
  },
  /** `"path": "roles", "value": [{"value": "{\"id\": \"…\", \"value\": \"Admin\", \"displayName\": \"Admin\"}"}]`: a role as JSON in its value. */
  rolesAsJson: {
    source: 'https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes',
    of: ['entra'],
    value: roleOutOfJson,
  },
  /** `"path": "displayName", "value": [{"$ref": null, "value": "x"}]`: one value in a list, as a text's own would be. */
  listOfOne: {
    source: 'https://github.com/MicrosoftDocs/azure-docs/issues/42220',
    of: unpublished,
    value: onlyOne,
  },
  /** `"path": "…:User:manager", "value": "271"`, and the same in a POST: a complex value by what its `value` would be. */
  bareComplexValue: {
    source:
      'https://github.com/Captain-P-Goldfish/SCIM-SDK: MsAzurePatchComplexValueRebuilder; https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups',
    of: unpublished,
    value: (value, { type, subAttributes }) =>
      type === 'complex' && (typeof value === 'string' || typeof value === 'number') && find(subAttributes, 'value')
        ? { value }
        : value,
  },
  /** `"path": "active", "value": "False"`, `roles[primary eq "True"]`. */
  booleansAsText: {
    source:
      'https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility',
    of: unpublished,
    value: (value, { type }) =>
      type === 'boolean' && typeof value === 'string' && /^(true|false)$/i.test(value) ? value.toLowerCase() === 'true' : value,
  },
  /** `"path": "urn:…:enterprise:2.0:User.manager"`: a dot where a colon belongs. */
  dotBehindUrn: {
    source: 'https://github.com/AzureAD/SCIMReferenceCode: SCIM Inbound.postman_collection.json',
    of: unpublished,
    operation: (operation, type) => [{ ...operation, path: withColon(operation.path, type) }],
  },
  /** `{"op": "replace", "value": {"name.givenName": "x", "urn:…:enterprise:2.0:User:department": "y"}}`: keys that are paths. */
  pathsAsKeys: {
    source:
      'https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility',
    of: unpublished,
    operation: pathsOutOfKeys,
  },
  /** `{"op": "Replace", "path": "emails[type eq \"work\"].value"}` makes the value where there is none: what RFC 7644 §3.5.2.3 wants refused (`noTarget`). */
  replaceMakes: {
    source: 'https://github.com/sourcegraph/sourcegraph-public-snapshot/pull/49200',
    of: ['entra'],
  },
  /** `"Operations": []`, from Microsoft's validator: it asks for nothing. */
  emptyPatch: { source: 'https://github.com/scimmyjs/scimmy/issues/59', of: ['entra'] },
  /** `id eq 54D382A4-2050-4C03-94D1-E769F1D15682 and manager eq 2819c223`: a filter's texts without their quotes. */
  textsWithoutQuotes: {
    source: 'https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups',
    of: ['entra'],
  },
  /** `emails[type eq "work"].value eq "x"`, which the filters of RFC 7644 §3.4.2.2 do not have. */
  partsBehindBrackets: {
    source: 'https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups',
    of: unpublished,
  },
} as const satisfies Record<string, Quirk>

export type QuirkName = keyof typeof quirks
const names = Object.keys(quirks) as QuirkName[]
const quirkOf = (name: QuirkName): Quirk => quirks[name]

/** How a directory's requests are read. */
export interface Dialect {
  readonly quirks: readonly QuirkName[]
  /** Whether attributes and extensions that no schema here has are refused; else they are passed over, as Okta and Entra need. */
  readonly isStrict: boolean
}

/** The RFCs alone. */
export const rfcs: Dialect = { quirks: [], isStrict: false }

const quirksOf = new Map(
  providers.map((provider) => [provider, names.filter((name) => quirkOf(name).of.includes(provider))] as const),
)

/** How the requests of a directory are read: with its provider's quirks. */
export const dialectOf = ({ provider, strict }: { provider: Provider; strict: boolean }): Dialect => ({
  quirks: quirksOf.get(provider) ?? [],
  isStrict: strict,
})

/** A value as the RFCs have it; each of them where the attribute has several. */
export function straightValue(dialect: Dialect, attribute: Attribute, value: unknown): unknown {
  const straight = (given: unknown) => dialect.quirks.reduce((one, name) => quirkOf(name).value?.(one, attribute) ?? one, given)
  return attribute.multiValued && Array.isArray(value) ? value.map(straight) : straight(value)
}

/** An operation as the RFCs have it. */
export function straightOperations(dialect: Dialect, type: ResourceType, operation: Written): Written[] {
  return dialect.quirks.reduce<Written[]>(
    (list, name) => list.flatMap((one) => quirkOf(name).operation?.(one, type) ?? one),
    [operation],
  )
}

export const hasQuirk = (dialect: Dialect, name: QuirkName): boolean => dialect.quirks.includes(name)

function roleOutOfJson(value: unknown, attribute: Attribute): unknown {
  if (attribute.name !== 'roles' || !isObject(value) || typeof value.value !== 'string' || !value.value.startsWith('{'))
    return value
  try {
    const { value: role, displayName: display } = JSON.parse(value.value) as Record<string, unknown>
    return typeof role === 'string' ? { ...value, value: role, ...(typeof display === 'string' ? { display } : {}) } : value
  } catch {
    return value
  }
}

function onlyOne(value: unknown, { multiValued, type }: Attribute): unknown {
  if (multiValued || !Array.isArray(value) || value.length !== 1) return value
  const [only] = value
  const isWrapped =
    type !== 'complex' && isObject(only) && Object.keys(only).every((key) => key === '$ref' || sameName(key, 'value'))
  return isWrapped ? only.value : only
}

function withColon(path: string | undefined, type: ResourceType): string | undefined {
  const urn = [type.urn, ...type.extensions.map(({ name }) => name)].find(
    (one) => path?.charAt(one.length) === '.' && sameName(path.slice(0, one.length), one),
  )
  return urn === undefined ? path : `${urn}:${path?.slice(urn.length + 1)}`
}

// What names nothing that a client may write is passed over with all the other keys.
function pathsOutOfKeys({ op, path, value }: Written, type: ResourceType): Written[] {
  if (path !== undefined || !isObject(value)) return [{ op, path, value }]
  const isPath = (key: string) => key.includes('[') || (resolveName(type, key)?.length ?? 0) > 1
  const keys = Object.keys(value).filter(isPath)
  if (keys.length === 0) return [{ op, path, value }]
  const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !isPath(key)))
  const writable = keys.filter((key) => resolveName(type, key)?.every(({ mutability }) => mutability !== 'readOnly') ?? true)
  return [{ op, path, value: rest }, ...writable.map((key) => ({ op, path: key, value: value[key] }))]
}
