import type { Attribute } from './attributes.ts'
import { discoveryTypes, discoveryUrn } from './discovery-schemas.ts'
import { groupAttributes, groupUrn, syncGroup } from './group-schema.ts'
import { maxBulkBytes, maxBulkOperations } from './messages.ts'
import { cursorTimeout, defaultPageSize, maxPageSize } from './paging.ts'
import { commonAttributes, enterpriseUser, userAttributes, userUrn } from './user-schema.ts'

/** A kind of resource: its own attributes (common ones included), and its extensions as complex attributes named by URN. */
export interface ResourceType {
  readonly name: 'User' | 'Group'
  readonly endpoint: '/Users' | '/Groups'
  readonly urn: string
  readonly description: string
  readonly attributes: readonly Attribute[]
  readonly extensions: readonly Attribute[]
}

export const userType: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  urn: userUrn,
  description: 'User Account: a person, as the directory pushed them.',
  attributes: [...commonAttributes, ...userAttributes],
  extensions: [enterpriseUser],
}

export const groupType: ResourceType = {
  name: 'Group',
  endpoint: '/Groups',
  urn: groupUrn,
  description: 'A group, as the directory pushed it.',
  attributes: [...commonAttributes, ...groupAttributes],
  extensions: [syncGroup],
}

/** What the server can do, with its true limits (RFC 7643 §5, and `pagination` of RFC 9865 §4). */
export const serviceProviderConfig = (base: string) => ({
  schemas: [discoveryUrn('ServiceProviderConfig')],
  patch: { supported: true },
  bulk: { supported: true, maxOperations: maxBulkOperations, maxPayloadSize: maxBulkBytes },
  filter: { supported: true, maxResults: maxPageSize },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  pagination: {
    cursor: true,
    index: true,
    defaultPaginationMethod: 'index',
    defaultPageSize,
    maxPageSize,
    cursorTimeout,
  },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A token of the directory, in the Authorization header.',
      specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
})

/** RFC 7643 §6. */
export const resourceTypes = (base: string) =>
  [userType, groupType].map((type) => ({
    schemas: [discoveryUrn('ResourceType')],
    id: type.name,
    name: type.name,
    endpoint: type.endpoint,
    description: type.description,
    schema: type.urn,
    schemaExtensions: type.extensions.map((extension) => ({ schema: extension.name, required: false })),
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${type.name}` },
  }))

/** RFC 7643 §7: User, Group, their extensions, and what discovery itself answers (§8.7.2); what is never returned is not described. */
export function schemas(base: string) {
  const described = [
    { urn: userUrn, name: 'User', description: userType.description, attributes: userAttributes },
    { urn: groupUrn, name: 'Group', description: groupType.description, attributes: groupAttributes },
    ...[enterpriseUser, syncGroup].map((extension) => ({
      urn: extension.name,
      name: extension.description,
      description: `${extension.description} extension.`,
      attributes: extension.subAttributes ?? [],
    })),
    ...discoveryTypes.map(({ name, description, attributes }) => ({ urn: discoveryUrn(name), name, description, attributes })),
  ]
  return described.map(({ urn, name, description, attributes }) => ({
    schemas: [discoveryUrn('Schema')],
    id: urn,
    name,
    description,
    attributes: attributes.filter((attribute) => attribute.returned !== 'never').map(describe),
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${urn}` },
  }))
}

// Characteristics that a type does not have are left out, as in RFC 7643 §8.7.1.
function describe(attribute: Attribute): Record<string, unknown> {
  const { caseExact, uniqueness, subAttributes, ...rest } = attribute
  if (attribute.type === 'complex') return { ...rest, uniqueness, subAttributes: (subAttributes ?? []).map(describe) }
  if (attribute.type === 'boolean' || attribute.type === 'integer' || attribute.type === 'dateTime')
    return { ...rest, uniqueness }
  return { ...rest, caseExact, uniqueness }
}
