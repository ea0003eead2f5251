import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Filter, parseFilter, printFilter } from '../../src/scim/filter.ts'
import { matches } from '../../src/scim/match.ts'
import { dialectOf } from '../../src/scim/quirks.ts'
import { groupType, type ResourceType, userType } from '../../src/scim/schemas.ts'
import { anyUserAttributes, anyUserFilter } from './any-filter.ts'

const user = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  id: '2819c223-7f76-453a-919d-413861904646',
  externalId: 'bJensen',
  userName: 'bjensen',
  title: 'Tour Guide',
  userType: 'Employee',
  active: true,
  name: { familyName: "O'Malley", givenName: 'Barbara' },
  emails: [
    { type: 'work', value: 'bjensen@example.com', primary: true },
    { type: 'home', value: 'babs@example.org' },
  ],
  ims: [{ type: 'xmpp', value: 'babs@foo.com' }],
  meta: { lastModified: '2011-05-13T04:42:34Z', created: '2010-01-23T04:56:22Z' },
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'Sales', manager: { value: '26118915' } },
}
const other = dialectOf({ provider: 'other', strict: false })
const filterOf = (type: ResourceType, text: string) => parseFilter(type, text, other)
const finds = (text: string) => matches(filterOf(userType, text), user)

describe('the examples of RFC 7644 §3.4.2.2', () => {
  test.each([
    'userName eq "bjensen"',
    'name.familyName co "O\'Malley"',
    'userName sw "J" or userName sw "B"',
    'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "b"',
    'title pr',
    'meta.lastModified gt "2011-05-13T04:42:33Z"',
    'meta.lastModified ge "2011-05-13T04:42:34Z"',
    'meta.lastModified lt "2011-05-13T06:42:35+02:00"',
    'meta.lastModified le "2011-05-13T04:42:34Z"',
    'title pr and userType eq "Employee"',
    'title pr or userType eq "Intern"',
    'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")',
    'userType ne "Employee" or not (emails co "example.net" or emails.value co "example.net")',
    'userType eq "Employee" and (emails.type eq "work")',
    'userType eq "Employee" and emails[type eq "work" and value co "@example.com"]',
    'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
  ])('%s finds the user', (text) => expect(finds(text)).toBe(true))

  test.each([
    'schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "sales"',
    'URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER:MANAGER.VALUE EQ "26118915"',
    'Department eq "sales" and manager eq "26118915" and MANAGER.value pr',
    'USERNAME EQ "BJENSEN" AND NOT (Title Eq "nobody")',
    'emails[type eq "work"].value eq "bjensen@example.com"',
    'active eq true and active eq "True" and active ne FALSE',
    'nickName eq null and userName ne null',
    'title eq "Tour\\u0020Guide"',
  ])('%s finds the user, too', (text) => expect(finds(text)).toBe(true))

  test.each([
    'emails[type eq "home" and value co "@example.com"]',
    'emails[type eq "home"].value eq "bjensen@example.com"',
    'externalId eq "bjensen"',
    'nickName gt "a"',
    'emails.value ne "babs@example.org"',
    'userName co "%"',
    'userName sw "_jensen"',
    'not (userName pr)',
    'userName eq "nobody" or title eq "nobody" and userName pr',
  ])('%s does not', (text) => expect(finds(text)).toBe(false))

  test('and binds closer than or', () => {
    expect(finds('userName pr or title eq "x" and title eq "y"')).toBe(true)
    expect(finds('(userName pr or title eq "x") and title eq "y"')).toBe(false)
  })

  test('members are found by their ids', () => {
    const group = { displayName: 'x', members: [{ value: 'a' }, { value: 'b' }] }
    for (const text of ['members.value eq "b"', 'members[value eq "b"]', 'members eq "b"']) {
      expect(matches(filterOf(groupType, text), group)).toBe(true)
    }
    expect(matches(filterOf(groupType, 'members.value eq "B"'), group)).toBe(false)
  })
})

describe('what is no filter is a 400 invalidFilter', () => {
  test.each([
    '',
    ' ',
    'userName',
    'userName eq',
    'userName is "x"',
    'eq "x"',
    '"x" eq userName',
    'userName eq x',
    'userName eq "x',
    "userName eq 'x'",
    'userName eq "x" and',
    'userName eq "x" userName eq "y"',
    '(userName pr',
    'userName pr)',
    'not userName pr',
    'not',
    '[type pr]',
    'emails[type eq "work"',
    'emails[]',
    'userName[value eq "x"]',
    'name[familyName pr]',
    'emails[userName pr]',
    'emails[type eq "work"].nope pr',
    'nope eq "x"',
    'name.nope eq "x"',
    'userName.value eq "x"',
    'urn:nope:User:userName eq "x"',
    '__proto__ pr',
    'constructor pr',
    'name eq "x"',
    'userName eq 5',
    'userName eq true',
    'userName gt null',
    'active gt true',
    'active eq "maybe"',
    'active eq 1',
    'active co "t"',
    'meta.created gt "yesterday"',
    'meta.created co "2026"',
    'meta.created eq 5',
    'x509Certificates.value gt "a"',
    'userName eq "\\x"',
    'userName eq "\u0000"',
    'userName eq "\\u0000"',
    'userName eq "\ud800"',
    'userName eq "\\ud800"',
    'userName eq "a" && title pr',
    ';',
    'userName eq -',
  ])('%j', (text) =>
    expect(() => filterOf(userType, text)).toThrow(expect.objectContaining({ status: 400, scimType: 'invalidFilter' })),
  )

  test('the refusal does not repeat the filter', () => {
    expect(() => filterOf(userType, 'secretName eq "x"')).toThrow(/^(?!.*secretName)/)
  })

  test('a password cannot be asked for', () => {
    expect(() => filterOf(userType, 'password sw "a"')).toThrow(expect.objectContaining({ status: 403, scimType: 'sensitive' }))
  })
})

describe('limits', () => {
  const refused = (text: string) => {
    const began = performance.now()
    expect(() => filterOf(userType, text)).toThrow(expect.objectContaining({ status: 400, scimType: 'invalidFilter' }))
    expect(performance.now() - began).toBeLessThan(100)
  }
  test('10,000 parentheses are refused before anything recurses', () => {
    refused(`${'('.repeat(10_000)}userName pr${')'.repeat(10_000)}`)
    refused('('.repeat(8_000))
    refused('not('.repeat(2_000))
  })
  test('20 levels are read, 21 are not', () => {
    const nested = (levels: number) => `${'('.repeat(levels)}userName pr${')'.repeat(levels)}`
    expect(finds(nested(20))).toBe(true)
    refused(nested(21))
  })
  test('200 terms are read, 201 are not', () => {
    const joined = (terms: number) => Array(terms).fill('title pr').join(' or ')
    expect(finds(joined(200))).toBe(true)
    refused(joined(201))
  })
  test('8 KiB are read, one byte more is not', () => {
    const sized = (bytes: number) => `userName eq "${'x'.repeat(bytes - 14)}"`
    expect(finds(sized(8_192))).toBe(false)
    refused(sized(8_193))
    refused(`${' '.repeat(9_000)}`)
  })
})

describe('laws', () => {
  const not = (term: Filter): Filter => ({ kind: 'not', term })
  const both = (kind: 'and' | 'or', ...terms: Filter[]): Filter => ({ kind, terms })
  const anyUser = anyUserAttributes.map((attributes) => ({ ...attributes, userName: 'ada', id: 'b', active: true }))

  test('reading what was printed gives the same filter', () => {
    fc.assert(
      fc.property(anyUserFilter, (filter) => {
        expect(filterOf(userType, printFilter(filter))).toEqual(filter)
      }),
    )
  })
  test('not (a or b) is not a and not b', () => {
    fc.assert(
      fc.property(anyUserFilter, anyUserFilter, anyUser, (a, b, someone) => {
        expect(matches(not(both('or', a, b)), someone)).toBe(matches(both('and', not(a), not(b)), someone))
        expect(matches(not(both('and', a, b)), someone)).toBe(matches(both('or', not(a), not(b)), someone))
      }),
    )
  })
  test('not (not a) is a, a or not a is everybody, a and not a nobody', () => {
    fc.assert(
      fc.property(anyUserFilter, anyUser, (a, someone) => {
        expect(matches(not(not(a)), someone)).toBe(matches(a, someone))
        expect(matches(both('or', a, not(a)), someone)).toBe(true)
        expect(matches(both('and', a, not(a)), someone)).toBe(false)
      }),
    )
  })
  test('any text is read or refused as a SCIM error', () => {
    const piece = fc.constantFrom(
      'userName',
      'emails',
      '[',
      ']',
      '(',
      ')',
      ' ',
      'eq',
      'pr',
      'and',
      'or',
      'not',
      '"x"',
      '.value',
      'true',
      '1',
      '"',
      '\\',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          filterOf(userType, pieces.join(' '))
        } catch (error) {
          expect(error).toMatchObject({ name: 'ScimError', status: 400 })
        }
      }),
    )
  })
})
