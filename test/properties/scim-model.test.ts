import fc from 'fast-check'
import { type Client, clientOf } from '../support/clients.ts'
import { expect, test } from '../support/world.ts'

// Random sequences of requests, sent to the server and done to a small model in memory: the same statuses, and in the end the same resources.

interface User {
  userName: string
  title?: string
  active: boolean
}
interface Group {
  displayName: string
  externalId?: string
  members: Set<number>
}
/** What a provider has here, by the number in which it was made; what is deleted is undefined. */
interface Model {
  users: (User | undefined)[]
  groups: (Group | undefined)[]
}
interface Real {
  scim: Client
  users: string[]
  groups: string[]
}
/** Answers the status that the model gives; `send` sends the same. */
interface Step {
  says: string
  model(model: Model): number
  send(real: Real): Promise<{ status: number; body: { id: string } }>
}

const name = fc.constantFrom('Ada', 'ada', 'bob', 'STRASSE', 'straße', 'x y')
const at = fc.nat({ max: 5 })
const many = fc.uniqueArray(at, { maxLength: 4 })
const title = fc.option(fc.constantFrom('Countess', 'Baron'), { nil: undefined })
const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const unknown = '0199aaaa-0000-7000-8000-000000000000'
const idOf = (ids: string[], which: number) => ids[which] ?? unknown
const values = (real: Real, members: number[]) => members.map((member) => ({ value: idOf(real.users, member) }))
// `Straße` is `STRASSE`: folded up, then down.
const key = (text: string) => text.normalize('NFKC').toUpperCase().toLowerCase()
const taken = <T>(things: (T | undefined)[], nameOf: (thing: T) => string, wanted: string, but?: number) =>
  things.some((thing, index) => thing !== undefined && index !== but && key(nameOf(thing)) === key(wanted))
/** Who of these is a user: others are recorded, and not shown. */
const known = (model: Model, members: number[]) => members.filter((member) => model.users[member] !== undefined)

const postUser = fc.record({ name, title }).map(
  ({ name, title }): Step => ({
    says: `POST user ${name}`,
    model: ({ users }) => {
      if (taken(users, (user) => user.userName, name)) return 409
      users.push({ userName: name, active: true, ...(title ? { title } : {}) })
      return 201
    },
    send: ({ scim }) => scim('POST', '/Users', { userName: name, title }),
  }),
)
const putUser = fc.record({ at, name, title, active: fc.boolean() }).map(
  ({ at, name, title, active }): Step => ({
    says: `PUT user ${at} ${name}`,
    model: ({ users }) => {
      if (!users[at]) return 404
      if (taken(users, (user) => user.userName, name, at)) return 409
      users[at] = { userName: name, active, ...(title ? { title } : {}) }
      return 200
    },
    send: ({ scim, users }) => scim('PUT', `/Users/${idOf(users, at)}`, { userName: name, title, active }),
  }),
)
const patchUser = fc.record({ at, title, active: fc.boolean(), asText: fc.boolean() }).map(
  ({ at, title, active, asText }): Step => ({
    says: `PATCH user ${at} ${title} ${active}`,
    model: ({ users }) => {
      const user = users[at]
      if (!user) return 404
      user.active = active
      if (title) user.title = title
      else delete user.title
      return 200
    },
    send: ({ scim, users }) =>
      scim(
        'PATCH',
        `/Users/${idOf(users, at)}`,
        patch(
          { op: 'Replace', path: 'active', value: asText ? (active ? 'True' : 'False') : active },
          title ? { op: 'add', value: { title } } : { op: 'remove', path: 'title' },
        ),
      ),
  }),
)
const deleteUser = at.map(
  (at): Step => ({
    says: `DELETE user ${at}`,
    model: ({ users, groups }) => {
      if (!users[at]) return 404
      users[at] = undefined
      for (const group of groups) group?.members.delete(at)
      return 204
    },
    send: ({ scim, users }) => scim('DELETE', `/Users/${idOf(users, at)}`),
  }),
)
const postGroup = fc.record({ name, members: many }).map(
  ({ name, members }): Step => ({
    says: `POST group ${name} ${members}`,
    model: (model) => {
      if (taken(model.groups, (group) => group.displayName, name)) return 409
      model.groups.push({ displayName: name, members: new Set(known(model, members)) })
      return 201
    },
    send: (real) => real.scim('POST', '/Groups', { displayName: name, members: values(real, members) }),
  }),
)
const putGroup = fc.record({ at, name, members: fc.option(many) }).map(
  ({ at, name, members }): Step => ({
    says: `PUT group ${at} ${name} ${members}`,
    model: (model) => {
      const group = model.groups[at]
      if (!group) return 404
      if (taken(model.groups, (other) => other.displayName, name, at)) return 409
      model.groups[at] = { displayName: name, members: members ? new Set(known(model, members)) : group.members }
      return 200
    },
    send: (real) =>
      real.scim('PUT', `/Groups/${idOf(real.groups, at)}`, {
        displayName: name,
        ...(members ? { members: values(real, members) } : {}),
      }),
  }),
)
const changeMembers = fc
  .record({ at, how: fc.constantFrom('add', 'remove', 'filter', 'replace', 'clear'), members: many, externalId: title })
  .map(
    ({ at, how, members, externalId }): Step => ({
      says: `PATCH group ${at} ${how} ${members} ${externalId}`,
      model: (model) => {
        const group = model.groups[at]
        if (!group) return 404
        if (how === 'replace' || how === 'clear') group.members.clear()
        for (const member of known(model, members))
          if (how === 'add' || how === 'replace') group.members.add(member)
          else if (how !== 'clear') group.members.delete(member)
        if (externalId) group.externalId = externalId
        return 204
      },
      send: (real) => {
        const value = values(real, members)
        const operations = {
          add: [{ op: 'Add', path: 'members', value }],
          remove: [{ op: 'Remove', path: 'members', value }],
          filter: value.map((one) => ({ op: 'remove', path: `members[value eq "${one.value}"]` })),
          replace: [{ op: 'replace', path: 'members', value }],
          clear: [{ op: 'remove', path: 'members' }],
        }[how] as unknown[]
        const described = externalId ? [{ op: 'replace', path: 'externalId', value: externalId }] : []
        return real.scim('PATCH', `/Groups/${idOf(real.groups, at)}`, patch(...operations, ...described))
      },
    }),
  )
  // Okta's own form needs an operation: a PATCH of none is another matter.
  .filter((step) => !/filter {2}undefined/.test(step.says))
const rename = fc.record({ at, name }).map(
  ({ at, name }): Step => ({
    says: `rename group ${at} ${name}`,
    model: ({ groups }) => {
      const group = groups[at]
      if (!group) return 404
      if (taken(groups, (other) => other.displayName, name, at)) return 409
      group.displayName = name
      return 204
    },
    send: ({ scim, groups }) =>
      scim('PATCH', `/Groups/${idOf(groups, at)}`, patch({ op: 'replace', value: { id: idOf(groups, at), displayName: name } })),
  }),
)
const deleteGroup = at.map(
  (at): Step => ({
    says: `DELETE group ${at}`,
    model: ({ groups }) => {
      if (!groups[at]) return 404
      groups[at] = undefined
      return 204
    },
    send: ({ scim, groups }) => scim('DELETE', `/Groups/${idOf(groups, at)}`),
  }),
)
const step = fc.oneof(
  postUser,
  postUser,
  putUser,
  patchUser,
  deleteUser,
  postGroup,
  postGroup,
  putGroup,
  { arbitrary: changeMembers, weight: 4 },
  rename,
  deleteGroup,
)

test('random requests leave what the same requests leave in a model of a page', async ({ org, fileServer }) => {
  let directories = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const { token } = await org.directory({ name: `directory ${directories++}`, provider: 'other', offerExistingGroups: 'off' })
      const real: Real = { scim: clientOf(`${fileServer.url}/scim/v2`, 'application/scim+json', token), users: [], groups: [] }
      const model: Model = { users: [], groups: [] }
      for (const { says, model: does, send } of steps) {
        const made = { users: model.users.length, groups: model.groups.length }
        const status = does(model)
        const answer = await send(real)
        expect(answer.status, says).toBe(status)
        if (model.users.length > made.users) real.users.push(answer.body.id)
        if (model.groups.length > made.groups) real.groups.push(answer.body.id)
      }
      expect(await shown(real)).toEqual(modelled(model, real))
    }),
    { numRuns: 60 },
  )
}, 120_000)

async function shown({ scim }: Real) {
  const { Resources: users = [] } = (await scim('GET', '/Users')).body
  const { Resources: groups = [] } = (await scim('GET', '/Groups')).body
  type Shown = { id: string; members?: { value: string }[]; groups?: { value: string }[] } & Record<string, unknown>
  return {
    users: users.map(({ id, userName, title, active, groups = [] }: Shown) => ({
      id,
      userName,
      title,
      active,
      groups: groups.map(({ value }) => value).sort(),
    })),
    groups: groups.map(({ id, displayName, externalId, members = [] }: Shown) => ({
      id,
      displayName,
      externalId,
      members: members.map(({ value }) => value).sort(),
    })),
  }
}

function modelled({ users, groups }: Model, real: Real) {
  const at = <T>(things: (T | undefined)[], ids: string[]) =>
    things.flatMap((thing, index) => (thing === undefined ? [] : [{ id: ids[index] ?? '', index, thing }]))
  return {
    users: at(users, real.users).map(({ id, index, thing: { userName, title, active } }) => ({
      id,
      userName,
      title,
      active,
      groups: at(groups, real.groups)
        .filter(({ thing }) => thing.members.has(index))
        .map((group) => group.id)
        .sort(),
    })),
    groups: at(groups, real.groups).map(({ id, thing: { displayName, externalId, members } }) => ({
      id,
      displayName,
      externalId,
      members: [...members].map((member) => real.users[member] ?? '').sort(),
    })),
  }
}
