import { type Attribute, binary, complex, flag, plural, reference, text, time } from './attributes.ts'

export const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const enterpriseUserUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/** Attributes of every resource (RFC 7643 §3.1). */
export const commonAttributes: readonly Attribute[] = [
  text('schemas', 'URNs of the schemas of this resource.', {
    multiValued: true,
    required: true,
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
  }),
  text('id', 'The identifier that this server gave.', {
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
  }),
  text('externalId', 'The identifier that the provider gave.', { caseExact: true }),
  complex(
    'meta',
    'What the server knows of the resource.',
    [
      text('resourceType', 'User or Group.', { caseExact: true, mutability: 'readOnly' }),
      time('created', 'When it was made.', { mutability: 'readOnly' }),
      time('lastModified', 'When it last changed.', { mutability: 'readOnly' }),
      reference('location', 'Its URI.', ['uri'], { mutability: 'readOnly' }),
      text('version', 'Its ETag.', { caseExact: true, mutability: 'readOnly' }),
    ],
    { mutability: 'readOnly' },
  ),
]

/** The User of RFC 7643 §4.1. `password` is accepted and dropped; discovery does not show it. */
export const userAttributes: readonly Attribute[] = [
  text('userName', 'The name the person signs in with, unique in the directory.', { required: true, uniqueness: 'server' }),
  complex('name', 'The parts of the name.', [
    text('formatted', 'The whole name.'),
    text('familyName', 'Family name.'),
    text('givenName', 'Given name.'),
    text('middleName', 'Middle name.'),
    text('honorificPrefix', 'Title before the name.'),
    text('honorificSuffix', 'Title after the name.'),
  ]),
  text('displayName', 'The name to show.'),
  text('nickName', 'A casual name.'),
  reference('profileUrl', 'A page about the person.', ['external']),
  text('title', 'Job title.'),
  text('userType', 'Kind of relation, such as Employee.'),
  text('preferredLanguage', 'As in an Accept-Language header.'),
  text('locale', 'Such as en-US.'),
  text('timezone', 'Such as Europe/Berlin.'),
  flag('active', 'Whether the person may have access at all.'),
  text('password', 'Never kept.', { mutability: 'writeOnly', returned: 'never' }),
  plural('emails', 'E-mail addresses.', text('value', 'The address.'), ['work', 'home', 'other']),
  plural('phoneNumbers', 'Telephone numbers.', text('value', 'The number.'), ['work', 'home', 'mobile', 'fax', 'pager', 'other']),
  plural('ims', 'Instant messaging addresses.', text('value', 'The address.'), [
    'aim',
    'gtalk',
    'icq',
    'xmpp',
    'msn',
    'skype',
    'qq',
    'yahoo',
  ]),
  plural('photos', 'Pictures.', reference('value', 'Where the picture is.', ['external']), ['photo', 'thumbnail']),
  complex(
    'addresses',
    'Postal addresses.',
    [
      text('formatted', 'The whole address.'),
      text('streetAddress', 'Street and number.'),
      text('locality', 'City.'),
      text('region', 'State or region.'),
      text('postalCode', 'Postal code.'),
      text('country', 'Country, ISO 3166-1 alpha-2.'),
      text('type', 'What it is used for.', { canonicalValues: ['work', 'home', 'other'] }),
      flag('primary', 'Whether it is the preferred one; true at most once.'),
    ],
    { multiValued: true },
  ),
  complex(
    'groups',
    'The groups that the directory has pushed the person into.',
    [
      text('value', 'The id of the group.', { caseExact: true, mutability: 'readOnly' }),
      reference('$ref', 'The URI of the group.', ['Group'], { mutability: 'readOnly' }),
      text('display', 'The name of the group.', { mutability: 'readOnly' }),
      text('type', 'How the person belongs to it.', { canonicalValues: ['direct', 'indirect'], mutability: 'readOnly' }),
    ],
    { multiValued: true, mutability: 'readOnly' },
  ),
  plural('entitlements', 'What the person is entitled to, as the provider says.', text('value', 'The entitlement.')),
  plural('roles', 'Roles, as the provider says.', text('value', 'The role.')),
  plural('x509Certificates', 'Certificates.', binary('value', 'DER, in base64.')),
]

/** The enterprise extension of RFC 7643 §4.3. */
export const enterpriseUser: Attribute = complex(enterpriseUserUrn, 'Enterprise User', [
  text('employeeNumber', 'The number of the employee.'),
  text('costCenter', 'Cost center.'),
  text('organization', 'Organization.'),
  text('division', 'Division.'),
  text('department', 'Department.'),
  complex('manager', 'The manager.', [
    text('value', 'The id of the manager.', { caseExact: true }),
    reference('$ref', 'The URI of the manager.', ['User']),
    text('displayName', 'The name of the manager.', { mutability: 'readOnly' }),
  ]),
])
