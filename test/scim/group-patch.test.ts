import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readGroupPatch } from '../../src/scim/group-patch.ts'
import { dialectOf, rfcs } from '../../src/scim/quirks.ts'
import type { GroupChange } from '../../src/scim/resource.ts'

const patch = (...Operations: unknown[]) =>
  readGroupPatch(
    { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations },
    dialectOf({ provider: 'other', strict: false }),
  )
const refusal = (status: number, scimType?: string) => expect.objectContaining({ name: 'ScimError', status, scimType })

describe('members', () => {
  test('added and removed come as ids, each once', () => {
    expect(
      patch(
        { op: 'remove', path: 'members[value eq "a"]' },
        {
          op: 'add',
          path: 'members',
          value: [{ value: 'b', display: 'b@b.c' }, { value: 'b' }, { value: 'c', $ref: null, type: 'User' }],
        },
      ),
    ).toEqual({ members: { added: [{ value: 'b' }, { value: 'c' }], removed: ['a'] } })
  })
  test('replace gives the whole list, an empty one too', () => {
    expect(patch({ op: 'replace', path: 'members', value: [{ value: 'a' }] })).toEqual({ members: { all: [{ value: 'a' }] } })
    expect(patch({ op: 'replace', value: { members: [{ value: 'a' }] } })).toEqual({ members: { all: [{ value: 'a' }] } })
    expect(patch({ op: 'replace', path: 'members', value: [] })).toEqual({ members: { all: [] } })
  })
  test('null is nobody, with a path and without: a list without anyone', () => {
    for (const operation of [{ path: 'members', value: null }, { value: { members: null } }]) {
      expect(patch({ op: 'replace', ...operation })).toEqual({ members: { all: [] } })
      expect(patch({ op: 'add', ...operation })).toEqual({})
    }
  })
  test('add without path adds', () => {
    expect(patch({ op: 'add', value: { members: [{ value: 'a' }] } })).toEqual({
      members: { added: [{ value: 'a' }], removed: [] },
    })
  })
  test('Entra removes by value, with operators in capitals', () => {
    expect(patch({ op: 'Remove', path: 'members', value: [{ $ref: null, value: 'a' }, { value: 'b' }] })).toEqual({
      members: { added: [], removed: ['a', 'b'] },
    })
  })
  test('remove without value takes all; with an empty list it takes nobody', () => {
    expect(patch({ op: 'remove', path: 'members' })).toEqual({ members: { all: [] } })
    expect(patch({ op: 'remove', path: 'members', value: null })).toEqual({ members: { all: [] } })
    expect(patch({ op: 'remove', path: 'members', value: [] })).toEqual({})
  })
  test('a filter may name several', () => {
    expect(patch({ op: 'remove', path: 'members[value eq "a" or VALUE EQ "b"]' })).toEqual({
      members: { added: [], removed: ['a', 'b'] },
    })
    expect(patch({ op: 'remove', path: 'urn:ietf:params:scim:schemas:core:2.0:Group:members[value eq "a"]' })).toEqual({
      members: { added: [], removed: ['a'] },
    })
  })
  test('whom another filter means is asked step by step, after what came before', () => {
    const byName = { op: 'remove', path: 'members[display eq "ada"]' }
    const matching = expect.objectContaining({ kind: 'compare', value: 'ada' })
    expect(patch(byName)).toEqual({ later: [{ matching }] })
    expect(
      patch(
        { op: 'add', path: 'members', value: [{ value: 'a' }] },
        byName,
        { op: 'add', path: 'members', value: [{ value: 'b' }] },
        { op: 'remove', path: 'members[value eq "a"]' },
      ),
    ).toEqual({
      members: { added: [{ value: 'a' }], removed: [] },
      later: [{ matching }, { added: [{ value: 'b' }], removed: ['a'] }],
    })
    expect(patch(byName, { op: 'replace', path: 'members', value: [] })).toEqual({ later: [{ matching }, { all: [] }] })
    expect(patch({ op: 'remove', path: 'members[value eq "a" or type eq "User"]' }).later).toHaveLength(1)
    expect(() => patch(...Array(21).fill(byName))).toThrow(refusal(413))
  })
  test('one member where a list belongs, and bare ids, are read', () => {
    expect(patch({ op: 'add', path: 'members', value: { value: 'a' } })).toEqual({
      members: { added: [{ value: 'a' }], removed: [] },
    })
    expect(patch({ op: 'add', path: 'members', value: 'a' })).toEqual({
      members: { added: [{ value: 'a' }], removed: [] },
    })
    expect(patch({ op: 'remove', path: 'members', value: 'a' })).toEqual({ members: { added: [], removed: ['a'] } })
    expect(patch({ op: 'add', path: 'members', value: ['a', 'b'] })).toEqual({
      members: { added: [{ value: 'a' }, { value: 'b' }], removed: [] },
    })
  })

  test('folding operations is the same as applying them one by one to the set', () => {
    const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 4 })
    const operation = fc.oneof(
      ids.map((values) => ({ op: 'add', path: 'members', value: values.map((value) => ({ value })) })),
      ids.map((values) => ({ op: 'replace', path: 'members', value: values.map((value) => ({ value })) })),
      ids.map((values) => ({ op: 'remove', path: 'members', value: values.map((value) => ({ value })) })),
      fc.constantFrom('a', 'b', 'c').map((id) => ({ op: 'remove', path: `members[value eq "${id}"]` })),
      fc.constant({ op: 'remove', path: 'members' }),
    )
    fc.assert(
      fc.property(ids, fc.array(operation, { minLength: 1, maxLength: 8 }), (before, operations) => {
        const oneByOne = operations.reduce((members, one) => applied(members, patch(one)), new Set<string>(before))
        expect([...applied(new Set<string>(before), patch(...operations))].sort()).toEqual([...oneByOne].sort())
      }),
    )
  })
})

function applied(before: Set<string>, { members }: GroupChange): Set<string> {
  if (members === undefined) return before
  if ('all' in members) return new Set(members.all.map((member) => member.value))
  return before.difference(new Set(members.removed)).union(new Set(members.added.map((member) => member.value)))
}

describe('name and externalId', () => {
  test('Okta renames without path, with the id inside', () => {
    expect(patch({ op: 'replace', value: { id: 'ID', displayName: 'New' } })).toEqual({ displayName: 'New' })
  })
  test('with path, in any case, the last one counts', () => {
    expect(patch({ op: 'Replace', path: 'DisplayName', value: 'A' }, { op: 'replace', path: 'displayName', value: 'B' })).toEqual(
      { displayName: 'B' },
    )
  })
  test('a single value in a list (Entra)', () => {
    expect(patch({ op: 'Replace', path: 'displayName', value: [{ $ref: null, value: 'A' }] })).toEqual({ displayName: 'A' })
  })
  test('externalId is set and taken away', () => {
    expect(patch({ op: 'add', path: 'externalId', value: 'x' })).toEqual({ externalId: 'x' })
    expect(patch({ op: 'remove', path: 'externalId' })).toEqual({ externalId: null })
  })
  test('what the server alone writes, or the schema does not have, is passed over without path', () => {
    expect(patch({ op: 'replace', value: { schemas: [], meta: {}, nope: 1, 'urn:nope:Group:x': 2 } })).toEqual({})
    expect(patch({ op: 'replace', path: 'urn:nope:2.0:Group:x', value: 1 })).toEqual({})
  })
})

describe('refused', () => {
  test.each([
    ['invalidSyntax', { op: 'move', path: 'members' }],
    ['invalidSyntax', 'add'],
    ['invalidSyntax', { path: 'members', value: [] }],
    ['invalidPath', { op: 'add', path: 5, value: [] }],
    ['invalidPath', { op: 'add', path: 'nope', value: 1 }],
    ['invalidFilter', { op: 'add', path: 'members[', value: 1 }],
    ['invalidFilter', { op: 'remove', path: 'members[' }],
    ['invalidFilter', { op: 'remove', path: 'members[value eq "a"' }],
    ['invalidFilter', { op: 'remove', path: 'members[nope eq "a"]' }],
    ['invalidPath', { op: 'remove', path: 'members[value eq "a"] x' }],
    ['invalidPath', { op: 'remove', path: 'displayName[value eq "a"]' }],
    ['mutability', { op: 'replace', path: 'members[value eq "a"].display', value: 'x' }],
    ['mutability', { op: 'replace', path: 'id', value: 'x' }],
    ['mutability', { op: 'replace', path: 'meta.created', value: 'x' }],
    ['mutability', { op: 'remove', path: 'displayName' }],
    ['mutability', { op: 'replace', path: 'urn:muster:params:scim:schemas:extension:sync:1.0:Group:state', value: 'synced' }],
    ['noTarget', { op: 'remove' }],
    ['invalidValue', { op: 'add', path: 'members' }],
    ['invalidValue', { op: 'add', path: 'members', value: [{ display: 'x' }] }],
    ['invalidValue', { op: 'add', path: 'members', value: [5] }],
    ['invalidValue', { op: 'add', value: 'x' }],
    ['invalidValue', { op: 'replace', path: 'displayName', value: 5 }],
    ['invalidValue', { op: 'replace', path: 'displayName', value: '  ' }],
    ['invalidValue', { op: 'replace', path: 'displayName', value: 'a\u202eb' }],
    ['invalidValue', { op: 'replace', path: 'displayName', value: 'x'.repeat(256) }],
  ])('%s: %j', (scimType, operation) => expect(() => patch(operation)).toThrow(refusal(400, scimType)))

  test('a filter that ends in the middle', () => {
    expect(() => patch({ op: 'remove', path: 'members[value eq "a" or' })).toThrow(refusal(400, 'invalidFilter'))
  })
  test('no operations', () => {
    for (const body of [undefined, null, [], 'x', {}, { Operations: [] }, { Operations: 'x' }])
      expect(() => readGroupPatch(body, rfcs)).toThrow(refusal(400, 'invalidSyntax'))
  })
  test('a valid operation beside a wrong one', () => {
    expect(() =>
      patch({ op: 'add', path: 'members', value: [{ value: 'a' }] }, { op: 'add', path: 'members', value: [{}] }),
    ).toThrow(refusal(400, 'invalidValue'))
  })
  test('80,000 operations, and 150,001 members in several, are a 413 at once', () => {
    const began = performance.now()
    expect(() => patch(...Array(80_000).fill({ op: 'add', path: 'members', value: [{ value: 'a' }] }))).toThrow(refusal(413))
    const half = { op: 'add', path: 'members', value: Array.from({ length: 75_001 }, (_, at) => ({ value: String(at) })) }
    expect(() => patch(half, half)).toThrow(refusal(413))
    expect(performance.now() - began).toBeLessThan(500)
  })
})
