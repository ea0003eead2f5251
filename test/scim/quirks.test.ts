import { describe, expect, test } from 'vitest'
import { parseFilter, printFilter } from '../../src/scim/filter.ts'
import { readGroupPatch } from '../../src/scim/group-patch.ts'
import { dialectOf, type Provider, providers, type QuirkName } from '../../src/scim/quirks.ts'
import { readUser, type UserInput } from '../../src/scim/resource.ts'
import { userType } from '../../src/scim/schemas.ts'
import { applyUserPatch } from '../../src/scim/user-patch.ts'
import { enterpriseUserUrn } from '../../src/scim/user-schema.ts'

const of = (provider: Provider) => dialectOf({ provider, strict: false })
const ada: UserInput = {
  userName: 'ada',
  externalId: null,
  active: true,
  attributes: { userName: 'ada', roles: [{ value: 'Reader' }] },
}
const patched = (provider: Provider, ...Operations: unknown[]) => applyUserPatch(ada, { Operations }, of(provider))
const refused = (scimType: string) => expect.objectContaining({ name: 'ScimError', scimType })

/** What each quirk makes of what is sent, and what the RFCs alone make of it: an answer or a refusal's keyword. */
const cases: Record<QuirkName, { sent: (provider: Provider) => unknown; straight: unknown; plain: unknown }> = {
  removeNamesValues: {
    sent: (provider) =>
      readGroupPatch({ Operations: [{ op: 'Remove', path: 'members', value: [{ $ref: null, value: 'a' }] }] }, of(provider)),
    straight: { members: { added: [], removed: ['a'] } },
    plain: { members: { all: [] } },
  },
  rolesAsJson: {
    sent: (provider) =>
      patched(provider, {
        op: 'Add',
        path: 'roles',
        value: [{ value: '{"id":"06b0","value":"Admin","displayName":"The admin"}' }],
      }).attributes.roles,
    straight: [{ value: 'Reader' }, { value: 'Admin', display: 'The admin' }],
    plain: [{ value: 'Reader' }, { value: '{"id":"06b0","value":"Admin","displayName":"The admin"}' }],
  },
  listOfOne: {
    sent: (provider) =>
      patched(provider, { op: 'Replace', path: 'displayName', value: [{ $ref: null, value: 'Ada' }] }).attributes.displayName,
    straight: 'Ada',
    plain: refused('invalidValue'),
  },
  bareComplexValue: {
    sent: (provider) =>
      readUser({ userName: 'ada', [enterpriseUserUrn]: { manager: '271' } }, of(provider)).attributes[enterpriseUserUrn],
    straight: { manager: { value: '271' } },
    plain: refused('invalidValue'),
  },
  booleansAsText: {
    sent: (provider) => patched(provider, { op: 'Replace', path: 'active', value: 'False' }).active,
    straight: false,
    plain: refused('invalidValue'),
  },
  pathsAsKeys: {
    sent: (provider) =>
      patched(provider, {
        op: 'replace',
        value: { 'name.givenName': 'y', [`${enterpriseUserUrn}:department`]: 'z', 'meta.created': 'x', 'no.such': 1 },
      }).attributes,
    straight: { ...ada.attributes, name: { givenName: 'y' }, [enterpriseUserUrn]: { department: 'z' } },
    plain: ada.attributes,
  },
  replaceMakes: {
    sent: (provider) =>
      patched(provider, { op: 'Replace', path: 'emails[type eq "work"].value', value: 'a@b.c' }).attributes.emails,
    straight: [{ type: 'work', value: 'a@b.c' }],
    plain: refused('noTarget'),
  },
  emptyPatch: {
    sent: (provider) => patched(provider),
    straight: ada,
    plain: refused('invalidSyntax'),
  },
  dotBehindUrn: {
    sent: (provider) => {
      const { attributes } = patched(provider, { op: 'Add', path: `${enterpriseUserUrn}.department`, value: 'z' })
      return attributes[enterpriseUserUrn]
    },
    straight: { department: 'z' },
    plain: undefined,
  },
  textsWithoutQuotes: {
    sent: (provider) => printFilter(parseFilter(userType, 'id eq 54D382A4-2050-4C03 and manager eq b@c.d', of(provider))),
    straight: `id eq "54D382A4-2050-4C03" and ${enterpriseUserUrn}:manager.value eq "b@c.d"`,
    plain: refused('invalidFilter'),
  },
  partsBehindBrackets: {
    sent: (provider) => parseFilter(userType, 'emails[type eq "work"].value eq "x"', of(provider)).kind,
    straight: 'element',
    plain: refused('invalidFilter'),
  },
}

describe.each(providers)('what %s sends', (provider) => {
  test.each(Object.entries(cases))(
    '%s is read as its provider means it, else as the RFCs say',
    (name, { sent, straight, plain }) => {
      const expected = of(provider).quirks.includes(name as QuirkName) ? straight : plain
      const answer = () => {
        try {
          return sent(provider)
        } catch (error) {
          return error
        }
      }
      expect(answer()).toEqual(expected)
    },
  )
})

test('Entra has every quirk, Okta and Google only the one that saves members, others all that can be meant in one way only', () => {
  expect([...of('entra').quirks].sort()).toEqual(Object.keys(cases).sort())
  expect(of('okta').quirks).toEqual(['removeNamesValues'])
  expect(of('google').quirks).toEqual(of('okta').quirks)
  for (const provider of providers.filter((one) => !['entra', 'okta', 'google'].includes(one)))
    expect(of(provider).quirks).toEqual(
      of('entra').quirks.filter((name) => !['rolesAsJson', 'replaceMakes', 'emptyPatch', 'textsWithoutQuotes'].includes(name)),
    )
})

test('a role that only looks like JSON stays what it is', () => {
  const roles = (value: string) => patched('entra', { op: 'Replace', path: 'roles', value: [{ value }] }).attributes.roles
  expect(roles('{admin}')).toEqual([{ value: '{admin}' }])
  expect(roles('{"value":5}')).toEqual([{ value: '{"value":5}' }])
})

test('a text without quotes ends where a bracket or a space does', () => {
  const read = (text: string) => printFilter(parseFilter(userType, text, of('entra')))
  expect(read("(userName sw O) or not (name.familyName co O'Malley)")).toBe(
    'userName sw "O" or not (name.familyName co "O\'Malley")',
  )
  expect(read('emails[type eq work and value co @b.c]')).toBe('emails[type eq "work" and value co "@b.c"]')
  expect(read('meta.created gt 2015-10-10T14:38:21.8617979-07:00')).toBe('meta.created gt "2015-10-10T14:38:21.8617979-07:00"')
  expect(read('title eq null or active eq TRUE')).toBe('title eq null or active eq true')
  for (const text of ["userName eq 'x'", 'userName eq', 'userName eq (x)', 'userName x@y z', 'a@b eq "x"', 'userName eq x y'])
    expect(() => read(text)).toThrow(refused('invalidFilter'))
})

test('booleans as text are read in filters and paths too', () => {
  expect(parseFilter(userType, 'active eq "True"', of('entra'))).toMatchObject({ operator: 'eq', value: true })
  expect(() => parseFilter(userType, 'active eq "True"', of('okta'))).toThrow(refused('invalidFilter'))
  expect(patched('entra', { op: 'Add', path: 'roles[primary eq "True"].value', value: 'Admin' }).attributes.roles).toEqual([
    { value: 'Reader' },
    { primary: true, value: 'Admin' },
  ])
})

test('a value path that matches nothing is made by add, whoever sends it', () => {
  for (const provider of providers)
    expect(
      patched(provider, { op: 'add', path: 'addresses[type eq "work"].formatted', value: '1 Road' }).attributes.addresses,
    ).toEqual([{ type: 'work', formatted: '1 Road' }])
})
