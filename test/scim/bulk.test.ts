import { describe, expect, test } from 'vitest'
import { type Bulk, type BulkOperation, readBulk, resolved, type Sound } from '../../src/scim/bulk.ts'
import { bulkRequestUrn } from '../../src/scim/messages.ts'

const read = (...Operations: unknown[]) => readBulk({ schemas: [bulkRequestUrn], Operations })
const user = (bulkId: string, data = {}) => ({ method: 'POST', path: '/Users', bulkId, data })
const group = (bulkId: string, ...members: string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { members: members.map((value) => ({ value: `bulkId:${value}` })) },
})
const faults = ({ operations }: Bulk) => operations.map(({ fault }) => fault && [fault.status, fault.scimType])
const one = (given: unknown): BulkOperation => read(given).operations[0] as BulkOperation

describe('a request', () => {
  test.each([
    ['no object', []],
    ['no operations', { schemas: [bulkRequestUrn] }],
    ['an empty list of operations', { schemas: [bulkRequestUrn], Operations: [] }],
    ['operations that are no list', { schemas: [bulkRequestUrn], Operations: user('a') }],
    ['another schema', { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [user('a')] }],
    ['a failOnErrors that is no number of errors', { Operations: [user('a')], failOnErrors: -1 }],
    ['a failOnErrors that is text', { Operations: [user('a')], failOnErrors: '1' }],
  ])('with %s is no bulk request', (_what, body) => {
    expect(() => readBulk(body)).toThrow(expect.objectContaining({ status: 400, scimType: 'invalidSyntax' }))
  })
  test('may leave out schemas; its keys may be in any case; failOnErrors may be 0 or null, for none', () => {
    const { operations, failOnErrors } = readBulk({
      operations: [{ METHOD: 'delete', Path: 'Users/x/', bulkID: 'b' }],
      FailOnErrors: 0,
    })
    expect(operations).toMatchObject([{ method: 'DELETE', bulkId: 'b', target: { type: 'User', id: 'x' } }])
    expect(failOnErrors).toBe(Number.POSITIVE_INFINITY)
    expect(readBulk({ Operations: [user('a')], failOnErrors: null }).failOnErrors).toBe(Number.POSITIVE_INFINITY)
    expect(readBulk({ Operations: [user('a')], failOnErrors: 2 }).failOnErrors).toBe(2)
  })
  test('has at most 1,000 operations', () => {
    const operations = (count: number) => Array.from({ length: count }, (_, at) => user(String(at)))
    expect(read(...operations(1_000)).operations).toHaveLength(1_000)
    expect(() => read(...operations(1_001))).toThrow(expect.objectContaining({ status: 413 }))
  })
})

describe('an operation', () => {
  test.each([
    ['that is no object', 'POST', 'invalidSyntax'],
    ['without a method', { path: '/Users/x' }, 'invalidSyntax'],
    ['with a method that Bulk does not have', { method: 'GET', path: '/Users/x' }, 'invalidSyntax'],
    ['without a path', { method: 'DELETE' }, 'invalidValue'],
    ['with a path that is no text', { method: 'DELETE', path: 1 }, 'invalidValue'],
    ['on /Me', { method: 'PATCH', path: '/Me', data: {} }, 'invalidValue'],
    ['on /Bulk', { method: 'POST', path: '/Bulk', bulkId: 'a', data: {} }, 'invalidValue'],
    ['on a path of another kind', { method: 'DELETE', path: '/Schemas/x' }, 'invalidValue'],
    ['on a URL', { method: 'DELETE', path: 'https://example.com/scim/v2/Users/x' }, 'invalidValue'],
    ['on a path with a broken escape', { method: 'DELETE', path: '/Users/%zz' }, 'invalidValue'],
    ['that makes something under an id', { method: 'POST', path: '/Users/x', bulkId: 'a', data: {} }, 'invalidValue'],
    ['that changes all of them', { method: 'DELETE', path: '/Users' }, 'invalidValue'],
    ['that makes something without a bulkId', { method: 'POST', path: '/Users', data: {} }, 'invalidSyntax'],
    ['with a bulkId that is no text', { method: 'DELETE', path: '/Users/x', bulkId: 7 }, 'invalidSyntax'],
    ['without data', { method: 'PUT', path: '/Users/x' }, 'invalidSyntax'],
    ['with data that is no object', { method: 'PATCH', path: '/Users/x', data: [] }, 'invalidSyntax'],
    ['with a version that is no text', { method: 'DELETE', path: '/Users/x', version: 1 }, 'invalidSyntax'],
  ])('%s is refused by itself', (_what, given, scimType) => {
    expect(faults(read(given, user('fine')))).toEqual([[400, scimType], undefined])
  })
  test('is named in its result as far as it can be', () => {
    expect(one({ method: 'PUT', path: '/Groups/x', bulkId: 'a' })).toMatchObject({
      method: 'PUT',
      bulkId: 'a',
      target: { type: 'Group', id: 'x' },
      fault: { status: 400 },
    })
  })
  test('has an id as the URL of a request of its own would have it', () => {
    expect(one({ method: 'DELETE', path: '/Users/a%20b' })).toMatchObject({ target: { id: 'a b' } })
  })
  test('that deletes has no data, whatever is sent', () => {
    const deletion = { method: 'DELETE', path: '/Users/x', data: { members: [{ value: 'bulkId:nobody' }] } }
    expect(one(deletion)).toMatchObject({ data: undefined, refersTo: [] })
  })
})

describe('references', () => {
  const ids = new Map([
    ['a', 'id-a'],
    ['b', 'id-b'],
  ])
  const resolvedOf = (given: unknown) => {
    const [operation] = read(given, user('a'), user('b')).operations
    return resolved(operation as Sound, ids)
  }
  test('stand in members, in the manager, bare or not, and in the path of the operation', () => {
    const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
    expect(
      resolvedOf({
        method: 'PUT',
        path: '/Users/bulkId:b',
        data: { userName: 'c', [enterprise]: { manager: { value: 'bulkId:a' } }, [`${enterprise}:manager`]: 'bulkId:b' },
      }),
    ).toEqual({
      id: 'id-b',
      data: { userName: 'c', [enterprise]: { manager: { value: 'id-a' } }, [`${enterprise}:manager`]: 'id-b' },
    })
  })
  test('stand in the values and in the filters of a PATCH', () => {
    const patch = (first: string, second: string, third: string) => ({
      Operations: [
        { op: 'add', path: 'members', value: [{ value: first }, second] },
        { op: 'remove', path: `members[value eq "${third}" or value eq "x"]` },
      ],
    })
    expect(resolvedOf({ method: 'PATCH', path: '/Groups/g', data: patch('bulkId:a', 'bulkId:b', 'bulkId:a') })).toEqual({
      id: 'g',
      data: patch('id-a', 'id-b', 'id-a'),
    })
  })
  test('are whole texts: one that only has it inside is left as it is', () => {
    const data = { displayName: 'about bulkId:a', path: 'members' }
    expect(resolvedOf({ method: 'PUT', path: '/Groups/g', data })).toEqual({ id: 'g', data })
  })
  test('to what failed are a conflict', () => {
    const [, second] = read(user('a'), group('g', 'a')).operations
    expect(() => resolved(second as Sound, new Map())).toThrow(expect.objectContaining({ status: 409 }))
  })
  test('to nothing are refused', () => {
    expect(faults(read(group('g', 'nobody'), { method: 'DELETE', path: '/Users/bulkId:nobody' }))).toEqual([
      [400, 'invalidValue'],
      [400, 'invalidValue'],
    ])
  })
  test('to what is changed, not made, are to nothing', () => {
    const changed = { method: 'PUT', path: '/Users/x', bulkId: 'a', data: {} }
    expect(faults(read(changed, group('g', 'a')))).toEqual([undefined, [400, 'invalidValue']])
  })
  test('that could mean one or another are to neither', () => {
    const bulk = read(user('a'), user('a'), group('g', 'a'), user('b'))
    expect(faults(bulk)).toEqual([[400, 'invalidSyntax'], [400, 'invalidSyntax'], undefined, undefined])
    expect(() => resolved(bulk.operations[2] as Sound, new Map())).toThrow(expect.objectContaining({ status: 409 }))
  })
})

describe('the order', () => {
  test('is the given one where every reference is to what was before', () => {
    expect(read(user('a'), group('g', 'a'), { method: 'DELETE', path: '/Users/x' }, group('h', 'g', 'a')).order).toEqual([
      0, 1, 2, 3,
    ])
  })
  test('has what is referred to first, and the rest as given', () => {
    expect(read(group('h', 'g'), { method: 'DELETE', path: '/Users/x' }, group('g', 'a'), user('a'), user('b')).order).toEqual([
      3, 2, 0, 1, 4,
    ])
  })
  test('of a circle is none: each of it is refused, what refers to it is not done, the rest is', () => {
    const bulk = read(user('a'), group('g', 'h'), group('h', 'i', 'a'), group('i', 'g'), group('j', 'g'))
    expect(faults(bulk)).toEqual([undefined, [409, undefined], [409, undefined], [409, undefined], undefined])
    expect([...bulk.order].sort()).toEqual([0, 1, 2, 3, 4])
    expect(bulk.order.indexOf(4)).toBeGreaterThan(bulk.order.indexOf(1))
  })
  test('of two circles that share an operation: all of both', () => {
    expect(faults(read(group('a', 'b'), group('b', 'a', 'c'), group('c', 'b')))).toEqual([
      [409, undefined],
      [409, undefined],
      [409, undefined],
    ])
  })
  test('of what refers to itself is none', () => {
    expect(faults(read(group('a', 'a')))).toEqual([[409, undefined]])
  })
  test('of a chain of a thousand, each to the next, is the other way round', () => {
    const chain = Array.from({ length: 1_000 }, (_, at) => group(String(at), ...(at < 999 ? [String(at + 1)] : [])))
    expect(read(...chain).order).toEqual(Array.from({ length: 1_000 }, (_, at) => 999 - at))
  })
  test('of a thousand that refer to all of them is none', () => {
    const names = Array.from({ length: 1_000 }, (_, at) => String(at))
    const bulk = read(...names.map((name) => group(name, ...names)))
    expect(bulk.operations.every(({ fault }) => fault?.status === 409)).toBe(true)
  })
})
