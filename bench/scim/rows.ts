import type { Ask } from '../client.ts'
import {
  emptyGroups,
  insiders,
  people,
  personId,
  personKey,
  personOf,
  type SeededGroup,
  sizedGroups,
  smallGroups,
} from './population.ts'
import type { TargetName } from './targets.ts'

/** What is measured, in its own line of the table. */
export interface Row {
  name: string
  /** Requests a second at eight connections, or a request's time at one. */
  unit: 'per second' | 'ms'
  /** What the connection of that number sends; it goes on from round to round. Every request that changes something changes something. */
  source(connection: number): () => Ask
  /** Why a server cannot do it. */
  cannot?: Partial<Record<TargetName, string>>
  /** At least so many times as fast. */
  goals: Partial<Record<Exclude<TargetName, 'muster'>, number>>
}

export const connectionsOf = ({ unit }: Row): number => (unit === 'ms' ? 1 : 8)

const random = (below: number) => Math.floor(Math.random() * below)
const anyPerson = () => random(insiders)
const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User'
const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const ahead = { scimmy: 1, polis: 1 }
const read = { ...ahead, bare: 0.5 }

const get = (path: string): Ask => ({ method: 'GET', path })
const patch = (group: SeededGroup, operation: object): Ask => ({
  method: 'PATCH',
  path: `/Groups/${group.id}`,
  body: JSON.stringify({ schemas: [patchUrn], Operations: [operation] }),
})
const membersOf = (from: number, count: number) => Array.from({ length: count }, (_, n) => ({ value: personId(from + n) }))
const add = (group: SeededGroup, from: number, count = 1): Ask =>
  patch(group, { op: 'add', path: 'members', value: membersOf(from, count) })
const remove = (group: SeededGroup, person: number): Ask =>
  patch(group, { op: 'remove', path: `members[value eq "${personId(person)}"]` })

const userById = () => get(`/Users/${personId(anyPerson())}`)
const userByName = () => get(`/Users?filter=${encodeURIComponent(`userName eq "${personOf(personKey(anyPerson())).userName}"`)}`)
const usersPage = () => get(`/Users?startIndex=${1 + 100 * random(people / 100)}&count=100`)

/** Adds somebody who is not in it, then removes the same person, and so on. */
function toggles(next: () => [group: SeededGroup, person: number]): () => Ask {
  let added: [group: SeededGroup, person: number] | undefined
  return () => {
    if (added === undefined) {
      added = next()
      return add(...added)
    }
    const ask = remove(...added)
    added = undefined
    return ask
  }
}

// Of ten consecutive people a small group has; those far from them are not in it. A connection has groups of its own.
const ofSmallGroups = (connection: number) =>
  toggles(() => {
    const at = random(smallGroups.length / 8) * 8 + connection
    const group = smallGroups[at] as SeededGroup
    return [group, (group.from + 20 + random(insiders - 40)) % insiders]
  })

let created = 0
const newKey = () => `new-${process.pid}-${created++}`
const createUser = (): Ask => ({
  method: 'POST',
  path: '/Users',
  body: JSON.stringify({ schemas: [userUrn], ...personOf(newKey()) }),
})
const createGroup = (): Ask => ({
  method: 'POST',
  path: '/Groups',
  body: JSON.stringify({ schemas: [groupUrn], displayName: newKey() }),
})

// The next empty group gets 10,000 members, 1,000 a request.
function fills(): () => Ask {
  let n = 0
  return () => {
    const group = emptyGroups[100 + Math.floor(n / 10)] as SeededGroup
    return add(group, (n++ % 10) * 1_000, 1_000)
  }
}

function replacements(group: SeededGroup): () => Ask {
  const shifted = [100, 0].map((from) => patch(group, { op: 'replace', path: 'members', value: membersOf(from, group.size) }))
  let n = 0
  return () => shifted[n++ % 2] as Ask
}

const [, thousand, tenThousand, hundredThousand] = sizedGroups as [SeededGroup, SeededGroup, SeededGroup, SeededGroup]
const noMembers = { polis: 'answers no members' }

const oneMember: Row[] = sizedGroups.map((group) => ({
  name: `add / remove one of ${group.size.toLocaleString('en')}`,
  unit: 'ms',
  source: () => toggles(() => [group, insiders]),
  goals: group.size === 10_000 ? { scimmy: 100, polis: 5 } : ahead,
}))

/** Rows that are measured in turn, round by round, stand together. */
export const blocks: Row[][] = [
  [{ name: 'create a user', unit: 'per second', source: () => createUser, goals: ahead }],
  [
    { name: 'find a user by userName', unit: 'per second', source: () => userByName, goals: read },
    { name: 'get a user by id', unit: 'per second', source: () => userById, goals: read },
    { name: 'list a page of 100 users', unit: 'per second', source: () => usersPage, goals: ahead },
  ],
  [{ name: 'create a group', unit: 'per second', source: () => createGroup, goals: ahead }],
  [{ name: 'fill a group, 1,000 members a PATCH', unit: 'ms', source: fills, goals: ahead }],
  oneMember,
  [
    {
      name: 'add / remove one, 1,000 groups of 10',
      unit: 'per second',
      source: ofSmallGroups,
      goals: { scimmy: 1, polis: 5, bare: 0.5 },
    },
  ],
  [
    {
      name: 'replace all of 10,000, 1 % of them new',
      unit: 'ms',
      source: () => replacements(tenThousand),
      cannot: { polis: 'replaces no members' },
      goals: ahead,
    },
  ],
  [
    {
      name: 'get a group of 1,000 with members',
      unit: 'per second',
      source: () => () => get(`/Groups/${thousand.id}`),
      cannot: noMembers,
      goals: ahead,
    },
    {
      name: 'get it without members',
      unit: 'per second',
      source: () => () => get(`/Groups/${thousand.id}?excludedAttributes=members`),
      goals: ahead,
    },
  ],
  [
    {
      name: 'eight writers on one group of 1,000',
      unit: 'per second',
      source: (connection) => toggles(() => [thousand, insiders + 1 + connection]),
      goals: ahead,
    },
  ],
]

/** One member, by the group's size. */
export const sizeRows: Row[] = oneMember

/** Requests that are large themselves. */
export const largeWrites: [what: string, ask: Ask][] = [
  ['1,000 members added', add(emptyGroups[1] as SeededGroup, 0, 1_000)],
  ['10,000 replaced', replacements(tenThousand)()],
  ['100,000 replaced', replacements(hundredThousand)()],
]

/** What a directory's day looks like: mostly look-ups, some changes of members, a few new users and pages of an import. */
export function mixed(connection: number): () => Ask {
  const change = ofSmallGroups(connection)
  return () => {
    const at = Math.random()
    if (at < 0.25) return userById()
    if (at < 0.55) return userByName()
    if (at < 0.9) return change()
    if (at < 0.97) return createUser()
    return usersPage()
  }
}

/** Additions of people who are all different to one empty group: none may be lost. */
export function parallelAdditions(each: number): { group: SeededGroup; source(connection: number): () => Ask } {
  const group = emptyGroups[0] as SeededGroup
  return {
    group,
    source: (connection) => {
      let n = 0
      return () => add(group, connection * each + n++)
    },
  }
}
