import { describe, expect, test } from 'vitest'
import { readGroupPatch } from '../../src/scim/group-patch.ts'
import { dialectOf } from '../../src/scim/quirks.ts'
import { readGroup, readUser } from '../../src/scim/resource.ts'
import { applyUserPatch } from '../../src/scim/user-patch.ts'
import { enterpriseUserUrn } from '../../src/scim/user-schema.ts'

const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const strict = dialectOf({ provider: 'okta', strict: true })
const lenient = dialectOf({ provider: 'okta', strict: false })
const refused = expect.objectContaining({ name: 'ScimError', status: 400, scimType: 'invalidSyntax' })
const ada = { schemas: [user], userName: 'ada' }
const operation = (path: string | undefined, value: unknown) => ({ Operations: [{ op: 'replace', path, value }] })

describe('a strict directory refuses what no schema has', () => {
  test.each([
    ['an attribute', { ...ada, dispalyName: 'x' }],
    ['a part', { ...ada, name: { nope: 'x' } }],
    ['a part of one of several', { ...ada, emails: [{ value: 'a@b.c' }, { value: 'b', nope: 1 }] }],
    ['a part of an extension', { ...ada, [enterpriseUserUrn]: { nope: 1 } }],
    ['an extension', { ...ada, 'urn:example:2.0:User': { x: 1 } }],
    ['a schema that is only named', { ...ada, schemas: [user, 'urn:example:2.0:User'] }],
  ])('%s of a user', (_what, body) => {
    expect(() => readUser(body, strict)).toThrow(refused)
    expect(readUser(body, lenient).userName).toBe('ada')
  })
  test.each([
    ['an attribute', undefined, { dispalyName: 'x' }],
    ['a part', 'name', { nope: 'x' }],
    ['a path to an attribute', 'nope', 'x'],
    ['a path to an extension', 'urn:example:2.0:User:x', 'x'],
  ])('%s in a PATCH of a user', (_what, path, value) =>
    expect(() => applyUserPatch(readUser(ada, strict), operation(path, value), strict)).toThrow(refused),
  )
  test.each([
    ['an attribute', { schemas: [group], displayName: 'G', nope: 1 }],
    ['a part of a member', { schemas: [group], displayName: 'G', members: [{ value: 'a', nope: 1 }] }],
    [
      'a schema',
      { schemas: [group, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'], displayName: 'G' },
    ],
  ])('%s of a group', (_what, body) => {
    expect(() => readGroup(body, strict)).toThrow(refused)
    expect(readGroup(body, lenient).displayName).toBe('G')
  })
  test('an attribute and a path in a PATCH of a group', () => {
    expect(() => readGroupPatch(operation(undefined, { nope: 1 }), strict)).toThrow(refused)
    expect(() => readGroupPatch(operation('urn:example:2.0:Group:x', 1), strict)).toThrow(refused)
    expect(readGroupPatch(operation('urn:example:2.0:Group:x', 1), lenient)).toEqual({})
  })
  test('it says which, and what to do', () => {
    expect(() => readUser({ ...ada, dispalyName: 'x' }, strict)).toThrow(/"dispalyName".*strict/)
    expect(() => readUser({ ...ada, [`${'x'.repeat(99)}\u{1f642}`]: 1 }, strict)).toThrow(/^No schema has "x{99}\ufffd"/)
  })
})

test('what a schema has is passed over or dropped as ever: read-only attributes, and the password', () => {
  const body = {
    ...ada,
    schemas: [user, enterpriseUserUrn.toUpperCase()],
    id: 'x',
    meta: { location: 'y' },
    groups: [{ value: 'z' }],
    password: 'p',
  }
  expect(readUser(body, strict)).toEqual(readUser(ada, strict))
  expect(readGroupPatch(operation(undefined, { id: 'x', displayName: 'G' }), strict)).toEqual({ displayName: 'G' })
})
