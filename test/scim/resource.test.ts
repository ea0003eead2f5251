import { describe, expect, test } from 'vitest'
import { readPaging } from '../../src/scim/paging.ts'
import { project, readProjection } from '../../src/scim/projection.ts'
import { dialectOf, rfcs } from '../../src/scim/quirks.ts'
import { readGroup, readGroupReplacement, readUser, type UserInput } from '../../src/scim/resource.ts'
import { groupType, resourceTypes, schemas, serviceProviderConfig, userType } from '../../src/scim/schemas.ts'
import { enterpriseUserUrn } from '../../src/scim/user-schema.ts'

type Described = readonly Record<string, unknown>[]

// The parts of parts are not described once more within themselves (RFC 7643 §8.7.2).
function undescribed(answer: object, attributes: Described, isWhole = true): string[] {
  return Object.entries(answer).flatMap(([key, value]) => {
    if (isWhole && ['schemas', 'meta'].includes(key)) return []
    const attribute = attributes.find((one) => one.name === key)
    if (attribute === undefined) return key === 'subAttributes' ? [] : [key]
    const parts = attribute.subAttributes as Described | undefined
    return parts === undefined
      ? []
      : [value].flat().flatMap((one) => undescribed(one as object, parts, false).map((part) => `${key}.${part}`))
  })
}

const refusal = (status: number, scimType?: string) => expect.objectContaining({ name: 'ScimError', status, scimType })

const other = dialectOf({ provider: 'other', strict: false })
const userFrom = (body: unknown, current?: UserInput) => readUser(body, other, current)
const groupFrom = (body: unknown) => readGroup(body, other)
const replacementFrom = (body: unknown) => readGroupReplacement(body, rfcs)

describe('a user', () => {
  test('as Okta creates it: groups, password, id, meta and what is unknown are dropped', () => {
    expect(
      userFrom({
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: 'ada@b.c',
        name: { givenName: 'Ada', familyName: 'L.', middleName: '' },
        emails: [{ primary: true, value: 'ada@b.c', type: 'work' }],
        displayName: 'Ada L.',
        locale: 'en-US',
        externalId: '00u1',
        groups: [],
        password: 'secret',
        active: true,
        id: 'x',
        meta: { resourceType: 'User' },
        nope: { deep: [1] },
      }),
    ).toEqual({
      userName: 'ada@b.c',
      externalId: '00u1',
      active: true,
      attributes: {
        userName: 'ada@b.c',
        name: { givenName: 'Ada', familyName: 'L.' },
        emails: [{ primary: true, value: 'ada@b.c', type: 'work' }],
        displayName: 'Ada L.',
        locale: 'en-US',
      },
    })
  })
  test('names and URNs in any case come out canonical', () => {
    const { attributes } = userFrom({
      USERNAME: 'a',
      EMAILS: [{ VALUE: 'x' }],
      [enterpriseUserUrn.toUpperCase()]: { DEPARTMENT: 'd', manager: 'boss' },
    })
    expect(attributes).toEqual({
      userName: 'a',
      emails: [{ value: 'x' }],
      [enterpriseUserUrn]: { department: 'd', manager: { value: 'boss' } },
    })
  })
  test('primary is kept single', () => {
    expect(
      userFrom({
        userName: 'a',
        emails: [
          { value: 'x', primary: true },
          { value: 'y', primary: 'True' },
        ],
      }).attributes.emails,
    ).toEqual([
      { value: 'x', primary: true },
      { value: 'y', primary: false },
    ])
  })
  test('a PUT without active does not revive anybody', () => {
    const off = userFrom({ userName: 'a', active: false })
    expect(userFrom({ userName: 'a' }, off).active).toBe(false)
    expect(userFrom({ userName: 'a' }).active).toBe(true)
  })
  test('a name that stood already is not judged again', () => {
    const old = {
      userName: 'a\u200b',
      externalId: null,
      active: true,
      attributes: { userName: 'a\u200b', displayName: 'x\u202e' },
    }
    expect(userFrom({ userName: 'a\u200b', displayName: 'x\u202e' }, old)).toEqual(old)
    expect(() => userFrom({ userName: 'b\u200b' }, old)).toThrow(refusal(400, 'invalidValue'))
  })
  test.each([[null], [[]], ['x'], [undefined]])('%j is no user: invalidSyntax', (body) =>
    expect(() => userFrom(body)).toThrow(refusal(400, 'invalidSyntax')),
  )
  test.each([
    [{}],
    [{ userName: null }],
    [{ userName: ' ' }],
    [{ userName: 5 }],
    [{ userName: 'a\u0007' }],
    [{ userName: 'x'.repeat(256) }],
    [{ userName: 'a', displayName: 'b\u202ec' }],
    [{ userName: 'a', active: 'yes' }],
    [{ userName: 'a', emails: [5.5, { value: {} }] }],
    [{ userName: 'a', name: 'Ada' }],
    [{ userName: 'a', externalId: 'x'.repeat(1_025) }],
  ])('%j is not accepted: invalidValue', (body) => expect(() => userFrom(body)).toThrow(refusal(400, 'invalidValue')))
  test('a name of 255 characters is accepted, emoji count as one', () => {
    expect(userFrom({ userName: '🙂'.repeat(255) }).userName).toHaveLength(510)
    expect(() => userFrom({ userName: '🙂'.repeat(256) })).toThrow(refusal(400, 'invalidValue'))
  })
  test('a character counts as those that it is normalized to, and what is looked up by must fit into an index', () => {
    expect(() => userFrom({ userName: '\ufdfa'.repeat(15) })).toThrow(refusal(400, 'invalidValue'))
    expect(() => userFrom({ userName: 'a', externalId: '日'.repeat(700) })).toThrow(refusal(400, 'invalidValue'))
    expect(() => userFrom({ userName: 'a', emails: [{ value: '\ufdfa'.repeat(100) }] })).toThrow(refusal(400, 'invalidValue'))
    expect(userFrom({ userName: 'a', title: '日'.repeat(1_024) }).attributes.title).toHaveLength(1_024)
  })
})

describe('a group', () => {
  test('needs a displayName alone', () => {
    expect(groupFrom({ displayName: 'G' })).toEqual({ displayName: 'G', externalId: null, members: undefined })
    expect(() => groupFrom({ members: [] })).toThrow(refusal(400, 'invalidValue'))
  })
  test('has each member once, by id', () => {
    const members = [
      { value: 'a', display: 'x', type: 'User', $ref: 'https://x/Users/a' },
      { value: 'b', $ref: null },
      { value: 'a' },
    ]
    expect(groupFrom({ displayName: 'G', members }).members).toEqual([{ value: 'a' }, { value: 'b' }])
  })
  test('a PUT without members leaves them, with an empty list takes them all', () => {
    expect(replacementFrom({ id: 'x', displayName: 'G' })).toEqual({ displayName: 'G', externalId: null })
    expect(replacementFrom({ displayName: 'G', members: [] })).toEqual({
      displayName: 'G',
      externalId: null,
      members: { all: [] },
    })
  })
  test('150,000 members are read in a blink, one more is a 413', () => {
    const members = Array.from({ length: 150_000 }, (_, at) => ({ value: `id-${at}`, display: 'x' }))
    const began = performance.now()
    expect(groupFrom({ displayName: 'G', members }).members).toHaveLength(150_000)
    expect(performance.now() - began).toBeLessThan(1_000)
    expect(() => groupFrom({ displayName: 'G', members: [...members, { value: 'x' }] })).toThrow(refusal(413))
  })
})

describe('attributes and excludedAttributes', () => {
  const user = {
    schemas: ['s'],
    id: '1',
    userName: 'a',
    name: { givenName: 'g', familyName: 'f' },
    emails: [{ value: 'x', type: 'work' }, { type: 'home' }],
    meta: { created: 'c' },
    [enterpriseUserUrn]: { department: 'd', organization: 'o' },
  }
  const shown = (attributes?: unknown, excludedAttributes?: unknown) =>
    project(user, readProjection(userType, { attributes, excludedAttributes }))
  test('id and schemas come always', () => {
    expect(shown('userName')).toEqual({ schemas: ['s'], id: '1', userName: 'a' })
    expect(shown('nope')).toEqual({ schemas: ['s'], id: '1' })
    expect(shown(undefined, 'id,schemas,meta')).toEqual({ ...user, meta: undefined })
  })
  test('parts of values', () => {
    expect(shown('name.familyName, EMAILS.value')).toEqual({
      schemas: ['s'],
      id: '1',
      name: { familyName: 'f' },
      emails: [{ value: 'x' }],
    })
    expect(shown(undefined, 'name.familyName,emails.type')).toEqual({
      ...user,
      name: { givenName: 'g' },
      emails: [{ value: 'x' }],
    })
    expect(shown('name.familyName,name')).toEqual({ schemas: ['s'], id: '1', name: user.name })
    expect(shown('department')).toEqual({ schemas: ['s'], id: '1', [enterpriseUserUrn]: { department: 'd' } })
    expect(shown(['urn:ietf:params:scim:schemas:core:2.0:User:userName', 'meta'])).toEqual({
      schemas: ['s'],
      id: '1',
      userName: 'a',
      meta: user.meta,
    })
  })
  test('a filter behind a name says nothing', () => {
    expect(shown('emails[type eq "work"]')).toEqual({ schemas: ['s'], id: '1', emails: user.emails })
    expect(shown(undefined, 'emails[type eq "work"]')).toEqual(user)
  })
  test('not both', () => {
    expect(() => shown('userName', 'name')).toThrow(refusal(400, 'invalidValue'))
  })
})

describe('paging', () => {
  test.each([
    [{}, { startIndex: 1, count: 100 }],
    [
      { startIndex: '0', count: '0' },
      { startIndex: 1, count: 0 },
    ],
    [
      { startIndex: '-5', count: '-5' },
      { startIndex: 1, count: 0 },
    ],
    [
      { startIndex: 3, count: 1_001 },
      { startIndex: 3, count: 1_000 },
    ],
    [
      { startIndex: '99999999999999', count: '' },
      { startIndex: 2_147_483_647, count: 100 },
    ],
  ])('%j', (given, paging) => expect(readPaging(given)).toEqual(paging))
  test.each(['x', '1.5', '1e3', ['1', '2'], {}, 1.5])('%j is no number', (count) =>
    expect(() => readPaging({ count })).toThrow(refusal(400, 'invalidValue')),
  )
})

describe('discovery', () => {
  test('a password is not described', () => {
    expect(JSON.stringify(schemas('http://x'))).not.toContain('password')
  })
  test('every schema that a resource type names is described', () => {
    const described = schemas('http://x').map((schema) => schema.id)
    const named = resourceTypes('http://x').flatMap((type) => [
      type.schema,
      ...type.schemaExtensions.map((extension) => extension.schema),
    ])
    expect(named.filter((urn) => !described.includes(urn))).toEqual([])
  })
  test('the limits are the true ones', () => {
    expect(serviceProviderConfig('http://x')).toMatchObject({
      patch: { supported: true },
      filter: { supported: true, maxResults: 1_000 },
      bulk: { supported: true, maxOperations: 1_000, maxPayloadSize: 33_554_432 },
    })
  })
  test('what discovery answers is described, every key of it', () => {
    const described = new Map(schemas('http://x').map((schema) => [schema.name, schema.attributes]))
    const answers = {
      ServiceProviderConfig: [serviceProviderConfig('http://x')],
      ResourceType: resourceTypes('http://x'),
      Schema: schemas('http://x'),
    }
    for (const [name, list] of Object.entries(answers))
      for (const answer of list) expect(undescribed(answer, described.get(name) ?? [])).toEqual([])
  })
  test('ServiceProviderConfig has what RFC 7643 and RFC 9865 have, and nothing else: strict clients refuse it', () => {
    expect(Object.keys(serviceProviderConfig('http://x')).sort()).toEqual(
      [
        'schemas',
        'patch',
        'bulk',
        'filter',
        'changePassword',
        'sort',
        'etag',
        'authenticationSchemes',
        'meta',
        'pagination',
      ].sort(),
    )
  })
  test('every resource names its attributes once, whatever their case', () => {
    for (const type of [userType, groupType]) {
      const names = type.attributes.map((attribute) => attribute.name.toLowerCase())
      expect(names).toEqual([...new Set(names)])
    }
  })
})
