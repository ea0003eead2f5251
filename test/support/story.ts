import type { DirectorySettings } from '../../src/provisioning/directories.ts'
import type { Provider as ProviderKind } from '../../src/scim/quirks.ts'
import type { Answer, Client } from './clients.ts'
import { expect, test as world } from './world.ts'

export { expect }

/** What a test says of its organization, in the domain's words, over the admin API. */
export interface Organization {
  /** Makes people and a group with them as members, as they are needed. */
  has(what: { group: string; members: string[] }): Promise<void>
  /** Grants a group a role, `site/product/role`. */
  grants(group: string, role: string, options?: { isDefault?: boolean }): Promise<void>
  stopsDefault(group: string, role: string): Promise<Answer>
  makesDefault(group: string, role: string): Promise<Answer>
  protects(group: string, isProtected?: boolean): Promise<Answer>
  renames(group: string, name: string): Promise<Answer>
  deletes(group: string): Promise<Answer>
  adds(group: string, members: string[]): Promise<Answer>
  /** The effective members of a group, sorted. */
  membersOf(group: string): Promise<string[]>
  /** A person's access, `site/product/role`, sorted. */
  accessOf(person: string): Promise<string[]>
  person(userName: string): Promise<Record<string, unknown>>
}

/** A provider that pushes, in the domain's words, over SCIM. */
export interface Provider {
  directory: { id: string; name: string; token: string }
  /** Pushes people it has not pushed yet; a name stands for userName and e-mail `name@example.org`. */
  knows(...people: string[]): Promise<void>
  /** Pushes a new group with its members; answers the status. */
  pushes(what: { group: string; members?: string[] }): Promise<number>
  /** The answer to the last request. */
  answer(): Answer
  adds(group: string, members: string[]): Promise<number>
  removes(group: string, members: string[]): Promise<number>
  replaces(group: string, members: string[]): Promise<number>
  renames(group: string, name: string): Promise<number>
  deletes(group: string): Promise<number>
  switches(person: string, on: 'on' | 'off'): Promise<number>
  deletesPerson(person: string): Promise<number>
  /** The pushed members of a group, as SCIM shows them, sorted. */
  membersOf(group: string): Promise<string[]>
  stateOf(group: string): Promise<{ state: string; reasons: string[] }>
  idOf(group: string): string
  idOfPerson(person: string): string
  request: Client
}

interface Stories {
  acme: Organization
  okta: Provider
  /** Another directory of the same organization. */
  entra: Provider
  /** A client that speaks SCIM as the RFCs have it, and nothing else is known of. */
  client: Provider
  /** Connects another provider. */
  connects: (provider: ProviderKind, settings?: Partial<DirectorySettings> & { observing?: boolean }) => Promise<Provider>
}

export const test = world.extend<Stories>({
  acme: async ({ api }, use) => use(organizationOf(api)),
  okta: async ({ org, server, scim, fileServer }, use) => {
    void server
    void fileServer
    const directory = await org.directory({ name: 'okta', provider: 'okta' })
    await use(providerOf(scim, directory))
  },
  entra: async ({ connects }, use) => use(await connects('entra')),
  client: async ({ connects }, use) => use(await connects('other')),
  connects: async ({ org, scim }, use) =>
    use(async (provider, settings) => providerOf(scim, await org.directory({ name: provider, provider, ...settings }))),
})

export function organizationOf(api: Client): Organization {
  const people = new Set<string>()
  const group = (name: string) => `/groups/${encodeURIComponent(name)}`
  const make = async (names: string[]) => {
    for (const userName of names.filter((name) => !people.has(name))) {
      await done(api('POST', '/people', { userName, email: `${userName}@example.org`, displayName: userName }))
      people.add(userName)
    }
  }
  const grantOf = async (name: string, role: string) => {
    const { items } = (await done(api('GET', `/grants?group=${encodeURIComponent(name)}&limit=0`))).body
    const found = items.find(
      (grant: { site: string; product: string; role: string }) => `${grant.site}/${grant.product}/${grant.role}` === role,
    )
    return `/grants/${encodeURIComponent(name)}/${found.roleId}`
  }
  return {
    has: async ({ group: name, members }) => {
      await make(members)
      await done(api('POST', '/groups', { name }))
      if (members.length > 0) await done(api('PATCH', `${group(name)}/members`, { add: members }))
    },
    grants: async (name, path, { isDefault = false } = {}) => {
      const [site, product, role] = path.split('/')
      await done(api('POST', '/grants', { group: name, site, product, role, isDefault }))
    },
    stopsDefault: async (name, role) => api('PATCH', await grantOf(name, role), { isDefault: false }),
    makesDefault: async (name, role) => api('PATCH', await grantOf(name, role), { isDefault: true }),
    protects: (name, isProtected = true) => api('PATCH', group(name), { isProtected }),
    renames: (from, name) => api('PATCH', group(from), { name }),
    deletes: (name) => api('DELETE', group(name)),
    adds: async (name, members) => {
      await make(members)
      return api('PATCH', `${group(name)}/members`, { add: members })
    },
    membersOf: async (name) => namesOf((await done(api('GET', `${group(name)}/members?limit=0`))).body.items),
    accessOf: async (person) => {
      const { items } = (await done(api('GET', `/people/${encodeURIComponent(person)}/access`))).body
      return items
        .map((item: { site: string; product: string; role: string }) => `${item.site}/${item.product}/${item.role}`)
        .sort()
    },
    person: async (userName) => (await done(api('GET', `/people/${encodeURIComponent(userName)}`))).body,
  }
}

export function providerOf(scim: Client, directory: Provider['directory']): Provider {
  const people = new Map<string, string>()
  const groups = new Map<string, string>()
  let last: Answer | undefined
  const request: Client = async (method, path, body, options) => {
    last = await scim(method, path, body, { token: directory.token, ...options })
    return last
  }
  const known = (map: Map<string, string>, name: string) => map.get(name) ?? name
  const values = (members: string[]) => members.map((name) => ({ value: known(people, name), display: name }))
  const patch = async (group: string, ...operations: unknown[]) =>
    (
      await request('PATCH', `/Groups/${known(groups, group)}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: operations,
      })
    ).status
  const person = (userName: string) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName,
    displayName: userName,
    active: true,
    emails: [{ value: `${userName}@example.org`, type: 'work', primary: true }],
  })
  return {
    directory,
    request,
    answer: () => {
      if (!last) throw new Error('No request was sent yet.')
      return last
    },
    knows: async (...names) => {
      for (const name of names) people.set(name, (await done(request('POST', '/Users', person(name)))).body.id)
    },
    pushes: async ({ group, members }) => {
      const { status, body } = await request('POST', '/Groups', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName: group,
        ...(members ? { members: values(members) } : {}),
      })
      if (status === 201) groups.set(group, body.id)
      return status
    },
    adds: (group, members) => patch(group, { op: 'add', path: 'members', value: values(members) }),
    removes: (group, members) =>
      patch(group, ...values(members).map(({ value }) => ({ op: 'remove', path: `members[value eq "${value}"]` }))),
    replaces: (group, members) => patch(group, { op: 'replace', path: 'members', value: values(members) }),
    renames: async (group, name) => {
      const status = await patch(group, { op: 'replace', value: { id: known(groups, group), displayName: name } })
      if (status < 300) groups.set(name, known(groups, group))
      return status
    },
    deletes: async (group) => (await request('DELETE', `/Groups/${known(groups, group)}`)).status,
    switches: async (name, on) =>
      (
        await request('PATCH', `/Users/${known(people, name)}`, {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'replace', value: { active: on === 'on' } }],
        })
      ).status,
    deletesPerson: async (name) => (await request('DELETE', `/Users/${known(people, name)}`)).status,
    membersOf: async (group) => {
      const { body } = await done(request('GET', `/Groups/${known(groups, group)}`))
      const names = new Map([...people].map(([name, id]) => [id, name]))
      return (body.members ?? []).map(({ value }: { value: string }) => names.get(value) ?? value).sort()
    },
    stateOf: async (group) => {
      const { body } = await done(request('GET', `/Groups/${known(groups, group)}?excludedAttributes=members`))
      const { state, reasons } = body['urn:muster:params:scim:schemas:extension:sync:1.0:Group']
      return { state, reasons }
    },
    idOf: (group) => known(groups, group),
    idOfPerson: (name) => known(people, name),
  }
}

const namesOf = (items: { userName: string }[]): string[] => items.map((item) => item.userName).sort()

/** An answer that must have been a yes: what a story takes for granted fails loudly. */
async function done(answer: Promise<Answer>): Promise<Answer> {
  const { status, body, headers } = await answer
  expect(status, JSON.stringify(body)).toBeLessThan(300)
  return { status, body, headers }
}
