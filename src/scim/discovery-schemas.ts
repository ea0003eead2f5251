import { type Attribute, complex, count, flag, reference, text } from './attributes.ts'

type DiscoveryKind = 'ServiceProviderConfig' | 'ResourceType' | 'Schema'

export const discoveryUrn = (kind: DiscoveryKind): string => `urn:ietf:params:scim:schemas:core:2.0:${kind}`

const readOnly = { mutability: 'readOnly' } as const
const needed = { ...readOnly, required: true } as const

const supported = flag('supported', 'Whether the server offers it.', needed)

const feature = (name: string, description: string, ...limits: Attribute[]) =>
  complex(name, description, [supported, ...limits], needed)

const serviceProviderConfig: readonly Attribute[] = [
  reference('documentationUri', 'Where people find help.', ['external'], readOnly),
  feature('patch', 'PATCH.'),
  feature(
    'bulk',
    'Bulk.',
    count('maxOperations', 'How many operations a request may have.', needed),
    count('maxPayloadSize', 'How many bytes a request may have.', needed),
  ),
  feature('filter', 'Filters.', count('maxResults', 'How many resources an answer has at most.', needed)),
  feature('changePassword', 'Changing the secret that a user signs in with.'),
  feature('sort', 'Sorting.'),
  feature('etag', 'Versions of resources as conditions of requests.'),
  complex(
    'pagination',
    'How lists are read in pages (RFC 9865).',
    [
      flag('cursor', 'Whether by cursor.', needed),
      flag('index', 'Whether by index.', needed),
      text('defaultPaginationMethod', 'How, where a query does not say.', { ...readOnly, canonicalValues: ['cursor', 'index'] }),
      count('defaultPageSize', 'How many resources a page has, where a query does not say.', readOnly),
      count('maxPageSize', 'How many resources a page has at most.', readOnly),
      count('cursorTimeout', 'For how many seconds a cursor can be gone on with.', readOnly),
    ],
    readOnly,
  ),
  complex(
    'authenticationSchemes',
    'How clients prove who they are.',
    [
      text('type', 'The kind of scheme.', {
        ...needed,
        canonicalValues: ['oauth', 'oauth2', 'oauthbearertoken', 'httpbasic', 'httpdigest'],
      }),
      text('name', 'Its name.', needed),
      text('description', 'What it is.', needed),
      reference('specUri', 'Where it is specified.', ['external'], readOnly),
      reference('documentationUri', 'Where people find help.', ['external'], readOnly),
      flag('primary', 'Whether it is the preferred one.', readOnly),
    ],
    { ...needed, multiValued: true },
  ),
]

const resourceType: readonly Attribute[] = [
  text('id', 'The same as the name.', readOnly),
  text('name', 'The name of the kind of resources.', needed),
  text('description', 'What they are.', readOnly),
  reference('endpoint', 'The path of its resources, below the URL of the service.', ['uri'], needed),
  reference('schema', 'The URN of its schema.', ['uri'], needed),
  complex(
    'schemaExtensions',
    'The extensions of the schema.',
    [
      reference('schema', 'The URN of the extension.', ['uri'], needed),
      flag('required', 'Whether every resource has it.', needed),
    ],
    { ...readOnly, multiValued: true },
  ),
]

/** What a schema says of an attribute, but for its parts. */
const characteristics: readonly Attribute[] = [
  text('name', 'The name of the attribute.', { ...needed, caseExact: true }),
  text('type', 'The type of its values.', {
    ...needed,
    canonicalValues: ['string', 'complex', 'boolean', 'decimal', 'integer', 'dateTime', 'reference', 'binary'],
  }),
  flag('multiValued', 'Whether it may have several values.', needed),
  text('description', 'What it says.', { ...readOnly, caseExact: true }),
  flag('required', 'Whether a resource must have it.', readOnly),
  text('canonicalValues', 'Values that it usually has.', { ...readOnly, multiValued: true, caseExact: true }),
  flag('caseExact', 'Whether upper and lower case differ.', readOnly),
  text('mutability', 'Who may write it, and when.', {
    ...readOnly,
    caseExact: true,
    canonicalValues: ['readOnly', 'readWrite', 'immutable', 'writeOnly'],
  }),
  text('returned', 'When it is in an answer.', {
    ...readOnly,
    caseExact: true,
    canonicalValues: ['always', 'never', 'default', 'request'],
  }),
  text('uniqueness', 'Among what its values are unique.', {
    ...readOnly,
    caseExact: true,
    canonicalValues: ['none', 'server', 'global'],
  }),
  text('referenceTypes', 'What it may refer to.', { ...readOnly, multiValued: true, caseExact: true }),
]

const schema: readonly Attribute[] = [
  text('id', 'The URN of the schema.', { ...needed, caseExact: true }),
  text('name', 'Its name.', readOnly),
  text('description', 'What it describes.', readOnly),
  complex(
    'attributes',
    'Its attributes.',
    [
      ...characteristics,
      complex('subAttributes', 'The parts of a complex attribute.', [...characteristics], { ...readOnly, multiValued: true }),
    ],
    { ...needed, multiValued: true },
  ),
]

/** The schemas of what discovery answers (RFC 7643 §5 to §7, §8.7.2). */
export const discoveryTypes: readonly { name: DiscoveryKind; description: string; attributes: readonly Attribute[] }[] = [
  { name: 'ServiceProviderConfig', description: 'What the server can do.', attributes: serviceProviderConfig },
  { name: 'ResourceType', description: 'A kind of resources.', attributes: resourceType },
  { name: 'Schema', description: 'A schema.', attributes: schema },
]
