import { describe, expect, test } from 'vitest'
import { dialectOf, type Provider, rfcs } from '../../src/scim/quirks.ts'
import { readGroup, readUser, type UserInput } from '../../src/scim/resource.ts'
import { applyUserPatch } from '../../src/scim/user-patch.ts'
import { enterpriseUserUrn } from '../../src/scim/user-schema.ts'

const ada = readUser(
  {
    userName: 'ada@b.c',
    externalId: 'e1',
    displayName: 'Ada',
    name: { givenName: 'Ada', familyName: 'L.' },
    emails: [{ type: 'work', value: 'ada@b.c', primary: true }],
  },
  rfcs,
)
const patched = (user: UserInput, ...Operations: unknown[]) => applyUserPatch(user, { Operations }, rfcs)
const patchedBy =
  (provider: Provider) =>
  (user: UserInput, ...Operations: unknown[]) =>
    applyUserPatch(user, { Operations }, dialectOf({ provider, strict: false }))
const refusal = (status: number, scimType?: string) => expect.objectContaining({ name: 'ScimError', status, scimType })

describe('RFC 7644 §3.5.2', () => {
  test('add: a value, a part, an element', () => {
    const { attributes } = patched(
      ada,
      { op: 'add', path: 'nickName', value: 'A' },
      { op: 'add', path: 'name.middleName', value: 'K.' },
      { op: 'add', path: 'emails', value: [{ type: 'home', value: 'ada@home' }] },
    )
    expect(attributes).toMatchObject({
      nickName: 'A',
      name: { givenName: 'Ada', middleName: 'K.', familyName: 'L.' },
      emails: [
        { type: 'work', value: 'ada@b.c', primary: true },
        { type: 'home', value: 'ada@home' },
      ],
    })
  })
  test('add: what is there already changes nothing', () => {
    expect(
      patched(
        ada,
        { op: 'add', path: 'emails', value: [{ type: 'work', value: 'ada@b.c', primary: true }] },
        { op: 'add', value: { displayName: 'Ada' } },
      ),
    ).toEqual(ada)
  })
  test('add: a new primary takes it from the old one', () => {
    expect(
      patched(ada, { op: 'add', path: 'emails', value: [{ type: 'home', value: 'ada@home', primary: true }] }).attributes.emails,
    ).toEqual([
      { type: 'work', value: 'ada@b.c', primary: false },
      { type: 'home', value: 'ada@home', primary: true },
    ])
  })
  test('replace: a list as a whole, parts of a name with the others left', () => {
    const { attributes } = patched(
      ada,
      { op: 'replace', path: 'emails', value: [{ value: 'x@y' }] },
      { op: 'replace', path: 'name', value: { familyName: 'King' } },
    )
    expect(attributes.emails).toEqual([{ value: 'x@y' }])
    expect(attributes.name).toEqual({ givenName: 'Ada', familyName: 'King' })
  })
  test('replace: elements behind a filter, whole or in part', () => {
    expect(patched(ada, { op: 'replace', path: 'emails[type eq "work"].value', value: 'new@b.c' }).attributes.emails).toEqual([
      { type: 'work', value: 'new@b.c', primary: true },
    ])
    expect(
      patched(ada, { op: 'replace', path: 'emails[type eq "work"]', value: { type: 'work', value: 'new@b.c' } }).attributes
        .emails,
    ).toEqual([{ type: 'work', value: 'new@b.c' }])
    expect(patched(ada, { op: 'add', path: 'emails[type eq "work"]', value: { display: 'A' } }).attributes.emails).toEqual([
      { type: 'work', value: 'ada@b.c', primary: true, display: 'A' },
    ])
    expect(patched(ada, { op: 'replace', path: 'emails.type', value: 'home' }).attributes.emails).toEqual([
      { type: 'home', value: 'ada@b.c', primary: true },
    ])
  })
  test('remove: a value, a part, elements behind a filter, named ones, all', () => {
    expect(patched(ada, { op: 'remove', path: 'displayName' }).attributes.displayName).toBeUndefined()
    expect(patched(ada, { op: 'remove', path: 'name.givenName' }).attributes.name).toEqual({ familyName: 'L.' })
    for (const operation of [{ path: 'emails[type eq "work"]' }, { path: 'emails' }, { path: 'emails[type eq "work"].value' }]) {
      expect(patched(ada, { op: 'remove', ...operation }).attributes.emails).toBeUndefined()
    }
    expect(patched(ada, { op: 'remove', path: 'emails[type eq "home"]' })).toEqual(ada)
    expect(patched(ada, { op: 'remove', path: 'externalId' }).externalId).toBeNull()
  })
  test('later operations see what earlier ones did, and what stands is never changed in place', () => {
    const before = structuredClone(ada)
    const { attributes } = patched(
      ada,
      { op: 'remove', path: 'emails' },
      { op: 'add', path: 'emails', value: [{ value: 'x@y' }] },
    )
    expect(attributes.emails).toEqual([{ value: 'x@y' }])
    expect(ada).toEqual(before)
  })
})

describe('Okta', () => {
  const byOkta = patchedBy('okta')
  test('deactivates without path', () => {
    expect(byOkta(ada, { op: 'replace', value: { active: false } })).toEqual({ ...ada, active: false })
  })
  test('pushes a password with it, which goes nowhere', () => {
    expect(byOkta(ada, { op: 'replace', value: { password: 'x', active: true } })).toEqual(ada)
    expect(byOkta(ada, { op: 'replace', path: 'password', value: 'x' })).toEqual(ada)
  })
  test('sends read-only and unknown attributes, which are passed over', () => {
    expect(byOkta(ada, { op: 'replace', value: { id: 'x', groups: [], meta: {}, nope: 1, schemas: [] } })).toEqual(ada)
  })
})

describe('Entra', () => {
  const byEntra = patchedBy('entra')
  test.each(['False', 'false', false])('active %j', (value) => {
    expect(byEntra(ada, { op: 'Replace', path: 'active', value }).active).toBe(false)
  })
  test('a value path that matches nothing makes the element', () => {
    const { attributes } = byEntra(
      ada,
      { op: 'Add', path: 'emails[type eq "home"].value', value: 'ada@home' },
      { op: 'Replace', path: 'addresses[type eq "work"].formatted', value: '1 Road' },
      { op: 'Add', path: 'roles[primary eq "True"].value', value: 'admin' },
    )
    expect(attributes).toMatchObject({
      emails: [{ type: 'work' }, { type: 'home', value: 'ada@home' }],
      addresses: [{ type: 'work', formatted: '1 Road' }],
      roles: [{ primary: true, value: 'admin' }],
    })
  })
  test('no path with dotted keys, URNs and value paths', () => {
    const { attributes } = byEntra(ada, {
      op: 'Replace',
      value: {
        displayName: 'x',
        'name.givenName': 'y',
        [`${enterpriseUserUrn}:department`]: 'z',
        'emails[type eq "work"].value': 'w@b.c',
      },
    })
    expect(attributes).toMatchObject({
      displayName: 'x',
      name: { givenName: 'y', familyName: 'L.' },
      emails: [{ type: 'work', value: 'w@b.c', primary: true }],
      [enterpriseUserUrn]: { department: 'z' },
    })
  })
  test('the manager as a bare text, then taken away', () => {
    const managed = byEntra(
      ada,
      { op: 'Add', path: `${enterpriseUserUrn}:manager`, value: 'boss' },
      { op: 'Add', path: `${enterpriseUserUrn}:department`, value: 'd' },
    )
    expect(managed.attributes[enterpriseUserUrn]).toEqual({ manager: { value: 'boss' }, department: 'd' })
    expect(byEntra(managed, { op: 'Remove', path: `${enterpriseUserUrn}:manager` }).attributes[enterpriseUserUrn]).toEqual({
      department: 'd',
    })
    expect(byEntra(managed, { op: 'Remove', path: enterpriseUserUrn }).attributes[enterpriseUserUrn]).toBeUndefined()
  })
  test('primary for every element: the last one has it', () => {
    const two = byEntra(ada, { op: 'add', path: 'emails', value: [{ type: 'home', value: 'h', primary: true }] })
    expect(byEntra(two, { op: 'replace', path: 'emails.primary', value: true }).attributes.emails).toEqual([
      { type: 'work', value: 'ada@b.c', primary: false },
      { type: 'home', value: 'h', primary: true },
    ])
  })
  test('active taken away stays as it was in force, through further changes and a PUT without it', () => {
    const off = byEntra(ada, { op: 'replace', path: 'active', value: false })
    const gone = byEntra(off, { op: 'remove', path: 'active' })
    expect(gone).toEqual({ ...off, attributes: { ...off.attributes, active: null } })
    expect(byEntra(gone, { op: 'remove', path: 'displayName' })).toMatchObject({ active: false, attributes: { active: null } })
    expect(readUser({ userName: 'ada@b.c' }, rfcs, gone)).toMatchObject({ active: false, attributes: { active: null } })
    expect(readUser({ userName: 'ada@b.c', active: true }, rfcs, gone).attributes).not.toHaveProperty('active')
    expect(byEntra(gone, { op: 'add', value: { active: 'True' } })).toEqual(ada)
  })
  test('several attributes at once, names in any case', () => {
    expect(
      byEntra(ada, { op: 'Add', path: 'TITLE', value: 't' }, { op: 'Replace', path: 'Name.FamilyName', value: 'f' }).attributes,
    ).toMatchObject({ title: 't', name: { familyName: 'f' } })
  })
  test('an attribute of an extension that is not there is passed over', () => {
    expect(byEntra(ada, { op: 'Add', path: 'urn:ietf:params:scim:schemas:extension:custom:2.0:User:x', value: 'y' })).toEqual(ada)
  })
})

describe('refused, nothing applied', () => {
  test.each([
    ['mutability', { op: 'remove', path: 'userName' }],
    ['mutability', { op: 'replace', path: 'id', value: 'x' }],
    ['mutability', { op: 'replace', path: 'groups', value: [] }],
    ['noTarget', { op: 'replace', path: 'emails[not (type eq "work")].value', value: 'x' }],
    ['noTarget', { op: 'replace', path: 'emails[type co "home"].value', value: 'x' }],
    ['noTarget', { op: 'remove' }],
    ['invalidPath', { op: 'replace', path: 'nope', value: 'x' }],
    ['invalidPath', { op: 'replace', path: 'name.nope', value: 'x' }],
    ['invalidPath', { op: 'replace', path: 'emails[type eq "work"].nope', value: 'x' }],
    ['invalidPath', { op: 'replace', path: 'name[familyName pr]', value: 'x' }],
    ['invalidFilter', { op: 'replace', path: 'emails[nope eq "x"]', value: {} }],
    ['invalidPath', { op: 'replace', path: `emails[${'('.repeat(21)}type pr${')'.repeat(21)}]`, value: {} }],
    ['invalidValue', { op: 'replace', path: 'active', value: 'perhaps' }],
    ['invalidValue', { op: 'replace', path: 'title', value: 5 }],
    ['invalidValue', { op: 'replace', path: 'name', value: 'Ada' }],
    ['invalidValue', { op: 'replace', path: 'userName', value: '' }],
    ['invalidValue', { op: 'replace', path: 'userName', value: 'a\u200bda' }],
    ['invalidValue', { op: 'replace', path: 'title', value: 'x'.repeat(1_025) }],
    ['invalidValue', { op: 'add', path: 'roles', value: Array.from({ length: 201 }, (_, at) => ({ value: String(at) })) }],
    ['invalidSyntax', { op: 'replace', value: { displayName: 'a', DISPLAYNAME: 'b' } }],
  ])('%s: %j', (scimType, operation) => {
    expect(() => patched(ada, { op: 'replace', path: 'title', value: 'fine' }, operation)).toThrow(refusal(400, scimType))
  })

  test('what would be compared too often', () => {
    const filter = Array(60).fill('type eq "x"').join(' or ')
    const often = (operation: unknown) => () => patched(ada, ...Array(60).fill(operation))
    expect(often({ op: 'remove', path: `emails[${filter}]` })).toThrow(refusal(413))
    expect(often({ op: 'add', path: 'emails', value: Array.from({ length: 60 }, () => ({ value: 'x' })) })).toThrow(refusal(413))
    expect(patched(ada, ...Array(1_000).fill({ op: 'replace', path: 'emails[type eq "work"].value', value: 'w' }))).toMatchObject(
      {
        attributes: { emails: [{ type: 'work', value: 'w', primary: true }] },
      },
    )
  })

  test('a long run of accents, before anybody normalizes it', () => {
    const accents = `a${'\u0301\u0316'.repeat(400_000)}`
    // Normalized, this takes minutes.
    expect(() => patched(ada, { op: 'replace', path: 'title', value: accents })).toThrow(refusal(400, 'invalidValue'))
    expect(() => readUser({ userName: accents }, rfcs)).toThrow(refusal(400, 'invalidValue'))
    expect(() => readGroup({ displayName: accents }, rfcs)).toThrow(refusal(400, 'invalidValue'))
  })

  test('keys that reach for a prototype are no attributes', () => {
    expect(
      patched(ada, { op: 'replace', value: JSON.parse('{"__proto__": {"x": 1}, "constructor": {"x": 1}, "__proto__.x": 1}') }),
    ).toEqual(ada)
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })
})
