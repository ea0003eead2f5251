import fc from 'fast-check'
import { expect, test as story } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'

const test = story.extend<{ admin: ReturnType<typeof syncing> }>({
  admin: async ({ api, okta }, use) => use(syncing(api, okta.directory.id)),
})

const people = ['ada', 'bob', 'cyd']
const role = 'acme/wiki/user'
const name = fc.constantFrom('One', 'Two')
const some = fc.subarray(people)

/** What a provider and an admin may do, to groups of two names, in any order. */
const command = fc.oneof(
  fc.record({ what: fc.constant('pushes' as const), name, members: some }),
  fc.record({ what: fc.constant('replaces' as const), name, members: some }),
  fc.record({ what: fc.constant('provider deletes' as const), name }),
  fc.record({ what: fc.constant('creates' as const), name, members: some, isGranted: fc.boolean() }),
  fc.record({ what: fc.constant('deletes' as const), name }),
  fc.record({ what: fc.constant('restores' as const), name }),
  fc.record({ what: fc.constant('deletes for good' as const), name }),
  fc.record({ what: fc.constant('syncs' as const), name }),
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

interface Group {
  members: string[]
  isGranted: boolean
}

/** One name, as it is to be: the group that has it, what was deleted of it (the last one last), and what the provider says. */
interface Model {
  group: (Group & { isManaged: boolean }) | undefined
  deleted: Group[]
  pushed: string[] | undefined
}

const isSynced = ({ group, pushed }: Model): boolean => pushed !== undefined && group?.isManaged === true

/** What becomes of a name; undefined where it cannot be done. */
function after(model: Model, given: Command): Model | undefined {
  const { group, deleted, pushed } = model
  const last = deleted.at(-1)
  const rest = deleted.slice(0, -1)
  // A pushed name that nobody has, and nobody had, is a group of its own.
  const settled = (now: Model): Model =>
    now.pushed === undefined || now.group !== undefined || now.deleted.length > 0
      ? now
      : { ...now, group: { members: now.pushed, isGranted: false, isManaged: true } }
  switch (given.what) {
    case 'pushes':
      return pushed === undefined ? settled({ ...model, pushed: given.members }) : undefined
    case 'replaces':
      if (pushed === undefined) return undefined
      return { ...model, pushed: given.members, group: isSynced(model) && group ? { ...group, members: given.members } : group }
    case 'provider deletes':
      if (pushed === undefined) return undefined
      if (!isSynced(model) || group === undefined) return { ...model, pushed: undefined }
      return { group: undefined, deleted: [...deleted, group], pushed: undefined }
    case 'creates': {
      const { members, isGranted } = given
      return group === undefined ? { ...model, group: { members, isGranted, isManaged: false } } : undefined
    }
    case 'deletes':
      if (group === undefined || group.isManaged) return undefined
      return { ...model, group: undefined, deleted: [...deleted, group] }
    case 'restores':
      if (last === undefined || group !== undefined) return undefined
      return { ...model, group: { ...last, isManaged: false }, deleted: rest }
    case 'deletes for good':
      return last === undefined ? undefined : settled({ ...model, deleted: rest })
    case 'syncs': {
      if (pushed === undefined || isSynced(model)) return undefined
      const isGranted = group?.isGranted ?? last?.isGranted ?? false
      return { pushed, group: { members: pushed, isGranted, isManaged: true }, deleted: group === undefined ? rest : deleted }
    }
  }
}

test('whatever is pushed, deleted, restored and synced, in any order: what is deleted gives nothing and comes back as it was', async ({
  acme,
  admin,
  api,
  okta,
}) => {
  await acme.has({ group: 'Everybody', members: people })
  await okta.knows(...people)
  // More than three deletions within the hour would wait: what the guard has wait is told in test/provisioning/guard.test.ts.
  await api('PATCH', '/directories/okta', { deletedGroups: 'delete', guardGroups: 1_000_000 })
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 4, maxLength: 16 }), async (commands) => {
      const named = (given: { name: string }) => `${given.name} ${run}`
      run++
      const models = new Map<string, Model>()
      for (const given of commands) {
        const model = models.get(given.name) ?? { group: undefined, deleted: [], pushed: undefined }
        const now = after(model, given)
        if (now === undefined) continue
        models.set(given.name, now)
        await does(given, named(given), isSynced(model))
        await matches(named(given), now)
      }
      await accessMatches([...models.values()])
      for (const [name, { pushed, group }] of models) {
        if (pushed !== undefined) await okta.deletes(named({ name }))
        if (group !== undefined && !group.isManaged) await acme.deletes(named({ name }))
      }
    }),
    { numRuns: Number(process.env.RUNS ?? 25), ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}) },
  )

  async function does(given: Command, group: string, wasSynced: boolean): Promise<void> {
    const path = encodeURIComponent(group)
    const done = (status: number | undefined) => expect(status, `${given.what} ${group}`).toBeLessThan(300)
    switch (given.what) {
      case 'pushes':
        return done(await okta.pushes({ group, members: given.members }))
      case 'replaces':
        return done(await okta.replaces(group, given.members))
      case 'provider deletes':
        return done(await okta.deletes(group))
      case 'creates':
        done((await api('POST', '/groups', { name: group })).status)
        await acme.adds(group, given.members)
        return given.isGranted ? acme.grants(group, role) : undefined
      case 'deletes':
        return done((await acme.deletes(group)).status)
      case 'restores': {
        const { restores } = (await api('GET', `/deleted-groups/${path}`)).body
        const body = { fingerprint: restores.fingerprint }
        return done((await api('POST', `/deleted-groups/${path}/restore`, body)).status)
      }
      case 'deletes for good':
        return done((await api('DELETE', `/deleted-groups/${path}`)).status)
      case 'syncs':
        expect(wasSynced).toBe(false)
        expect(await admin.syncs([group], { acceptEmpty: true })).toMatchObject({ groups: { synced: 1 } })
    }
  }

  async function matches(group: string, model: Model): Promise<void> {
    const found = await api('GET', `/groups/${encodeURIComponent(group)}`)
    expect(found.status).toBe(model.group === undefined ? 404 : 200)
    if (model.group !== undefined) {
      expect(await acme.membersOf(group)).toEqual(model.group.members)
      expect(found.body).toMatchObject({
        memberCount: model.group.members.length,
        grantCount: model.group.isGranted ? 1 : 0,
        managedBy: model.group.isManaged ? { name: 'okta' } : null,
      })
    }
    const { items } = (await api('GET', `/deleted-groups?search=${encodeURIComponent(group)}&sort=deletedAt&limit=0`)).body
    expect(
      items.map(({ memberCount, grantCount }: { memberCount: number; grantCount: number }) => [memberCount, grantCount]),
    ).toEqual(model.deleted.map(({ members, isGranted }) => [members.length, isGranted ? 1 : 0]))
    if (model.pushed === undefined) return
    expect(await okta.membersOf(group)).toEqual(model.pushed)
    const reasons = isSynced(model) ? [] : [model.group === undefined ? 'deleted_before' : 'name_taken']
    expect(await okta.stateOf(group)).toEqual({ state: isSynced(model) ? 'synced' : 'needs_review', reasons })
  }

  async function accessMatches(models: Model[]): Promise<void> {
    for (const person of people) {
      const has = models.some(({ group }) => group?.isGranted && group.members.includes(person))
      expect(await acme.accessOf(person), person).toEqual(has ? [role] : [])
    }
  }
})
