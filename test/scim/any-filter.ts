import fc from 'fast-check'
import type { Attribute } from '../../src/scim/attributes.ts'
import type { Comparison, Filter, FilterValue } from '../../src/scim/filter.ts'
import { type AttributeName, lastOf, resolveName, resolveWithin } from '../../src/scim/names.ts'
import { groupType, type ResourceType, userType } from '../../src/scim/schemas.ts'

/** Texts that meet one another often, wildcards and quotes among them. */
export const anyText: fc.Arbitrary<string> = fc.constantFrom(
  'ada',
  'Ada',
  'ADA@b.c',
  'ada@b.c',
  'bob@b.c',
  'b',
  '%',
  '_',
  'a\\',
  '"',
  'work',
  'home',
  'é',
  'É',
  '日本',
)
export const anyTime = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00.123Z', '2026-01-02T01:00:00.123+01:00')

const userNames = [
  'userName',
  'displayName',
  'externalId',
  'id',
  'active',
  'title',
  'name.familyName',
  'emails.value',
  'emails.type',
  'emails.primary',
  'addresses.locality',
  'meta.created',
  'meta.lastModified',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value',
]
const present = ['name', 'emails', 'addresses', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', ...userNames]

const nameOf = (type: ResourceType, text: string): AttributeName => {
  const name = resolveName(type, text)
  if (name === undefined) throw new Error(`${text} is no attribute`)
  return name
}

function anyComparison(names: AttributeName[], text: fc.Arbitrary<string> = anyText): fc.Arbitrary<Filter> {
  return fc.constantFrom(...names).chain((name) => {
    const { operators, value } = comparedAs(lastOf(name), text)
    const compared = { kind: fc.constant('compare' as const), name: fc.constant(name) }
    return fc.oneof(
      { weight: 9, arbitrary: fc.record({ ...compared, operator: fc.constantFrom(...operators), value }) },
      fc.record({ ...compared, operator: fc.constantFrom('eq' as const, 'ne' as const), value: fc.constant(null) }),
    )
  })
}

function comparedAs(
  { type }: Attribute,
  text: fc.Arbitrary<string>,
): { operators: Comparison[]; value: fc.Arbitrary<FilterValue> } {
  const inOrder: Comparison[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le']
  if (type === 'boolean') return { operators: ['eq', 'ne'], value: fc.boolean() }
  if (type === 'dateTime') return { operators: inOrder, value: anyTime }
  if (type === 'integer') return { operators: inOrder, value: fc.nat(3) }
  return { operators: [...inOrder, 'co', 'sw', 'ew'], value: text }
}

function anyTree(leaf: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> {
  return fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      leaf,
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        terms: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant('not' as const), term: tie('filter') }),
    ),
  })).filter
}

function anyElement(type: ResourceType, list: string, parts: string[], text = anyText): fc.Arbitrary<Filter> {
  const name = nameOf(type, list)
  const within = parts.map((part) => resolveWithin(lastOf(name), part)).filter((part) => part !== undefined)
  return fc.record({ kind: fc.constant('element' as const), name: fc.constant(name), term: anyTree(anyComparison(within, text)) })
}

const anyPresence = (type: ResourceType, texts: string[]): fc.Arbitrary<Filter> =>
  fc.constantFrom(...texts.map((text) => nameOf(type, text))).map((name) => ({ kind: 'present', name }))

const inSync = (name: string) => `urn:muster:params:scim:schemas:extension:sync:1.0:Group:${name}`

/** Any filter of groups, its texts among those given. */
export function anyGroupFilter(text: fc.Arbitrary<string>): fc.Arbitrary<Filter> {
  const members = ['members', 'members.value', 'members.display', 'members.type']
  const others = [
    'id',
    'displayName',
    'externalId',
    'schemas',
    'meta.created',
    'meta.resourceType',
    inSync('state'),
    inSync('reasons'),
  ]
  const compared = [...members.slice(1), ...others, inSync('members.added'), inSync('members.unchanged')]
  return anyTree(
    fc.oneof(
      anyComparison(
        compared.map((name) => nameOf(groupType, name)),
        text,
      ),
      anyPresence(groupType, [...members, ...others]),
      anyElement(groupType, 'members', ['value', 'display', 'type'], text),
    ),
  )
}

/** Any filter of users by what groups they are in, its texts among those given. */
export function anyFilterByGroups(text: fc.Arbitrary<string>): fc.Arbitrary<Filter> {
  const names = ['groups', 'groups.value', 'groups.display', 'groups.type', 'userName', 'emails.value']
  return anyTree(
    fc.oneof(
      anyComparison(
        names.slice(1).map((name) => nameOf(userType, name)),
        text,
      ),
      anyPresence(userType, names),
      anyElement(userType, 'groups', ['value', 'display', 'type'], text),
      anyElement(userType, 'emails', ['value', 'type'], text),
    ),
  )
}

/** Any filter of users that Muster answers. */
export const anyUserFilter: fc.Arbitrary<Filter> = anyTree(
  fc.oneof(
    anyComparison(userNames.map((text) => nameOf(userType, text))),
    anyPresence(userType, present),
    anyElement(userType, 'emails', ['value', 'type', 'primary']),
    anyElement(userType, 'addresses', ['locality', 'type']),
  ),
)

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

/** The attributes of any user, as `readUser` would have them but for what is undefined. */
export const anyUserAttributes = fc.record({
  displayName: maybe(anyText),
  title: maybe(anyText),
  name: maybe(fc.record({ familyName: anyText })),
  emails: maybe(
    fc.array(fc.record({ value: anyText, type: fc.constantFrom('work', 'home'), primary: fc.boolean() }), {
      minLength: 1,
      maxLength: 3,
    }),
  ),
  addresses: maybe(
    fc.array(fc.record({ locality: anyText, type: fc.constantFrom('work', 'home') }), { minLength: 1, maxLength: 2 }),
  ),
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': maybe(
    fc.record({ department: anyText, manager: fc.record({ value: anyText }) }),
  ),
})
