import fc from 'fast-check'
import { sql } from 'kysely'
import type { Db, Reader } from '../../src/database/connection.ts'
import { reading } from '../../src/database/transaction.ts'
import { type Client, clientOf } from '../support/clients.ts'
import { organizationOf, type Provider, providerOf } from '../support/story.ts'
import { createTestOrganization, expect, test } from '../support/world.ts'
import { syncing } from '../sync/syncing.ts'

const people = ['ada', 'bob', 'cyd', 'dan', 'eve']
const groups = ['Taken', 'Other', 'Free', 'Fresh', 'Further']
const person = fc.constantFrom(...people)
const group = fc.constantFrom(...groups)
const members = fc.subarray(people)
const step = fc.oneof(
  fc.record({ what: fc.constant('knows' as const), person }),
  fc.record({ what: fc.constant('switches' as const), person, on: fc.constantFrom('on' as const, 'off' as const) }),
  fc.record({ what: fc.constant('describes' as const), person, name: fc.constantFrom('One', 'Two') }),
  fc.record({ what: fc.constant('mails' as const), person, to: fc.constantFrom(...people) }),
  fc.record({ what: fc.constant('pushes' as const), group, members }),
  fc.record({ what: fc.constant('adds' as const), group, members }),
  fc.record({ what: fc.constant('removes' as const), group, members }),
  fc.record({ what: fc.constant('replaces' as const), group, members }),
  // Onto a name of its own: what a synced group does with a taken one is another story.
  fc.record({ what: fc.constant('renames' as const), group }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const patchUser = (provider: Provider, name: string, value: object) =>
  provider.request('PATCH', `/Users/${provider.idOfPerson(name)}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', value }],
  })

const known = new WeakMap<Provider, Set<string>>()

async function done(provider: Provider, one: Step): Promise<unknown> {
  const knows = known.get(provider) ?? new Set()
  known.set(provider, knows)
  if ('person' in one && one.what !== 'knows' && !knows.has(one.person)) return 'unknown'
  switch (one.what) {
    case 'knows':
      if (knows.has(one.person)) return 'known'
      knows.add(one.person)
      return provider.knows(one.person)
    case 'switches':
      return provider.switches(one.person, one.on)
    case 'describes':
      return (await patchUser(provider, one.person, { displayName: one.name })).status
    case 'mails':
      return (await patchUser(provider, one.person, { emails: [{ value: `${one.to}@example.org`, primary: true }] })).status
    case 'pushes':
      return provider.pushes(one)
    case 'renames':
      return provider.renames(one.group, `${one.group}, renamed`)
    default:
      return provider[one.what](one.group, one.members)
  }
}

/** What is pushed and in force of an organization, without ids and times. */
async function stateOf(reader: Reader): Promise<unknown> {
  const { rows } = await sql<{ state: unknown }>`
    select json_build_object(
      'people', (select json_agg(json_build_array(a.user_name, a.user_name_key, a.email_key, a.display_name, a.active, a.observed_by, d.name)
        order by a.user_name, a.email)
        from accounts a left join directories d on d.org_id = a.org_id and d.id = a.owned_by where a.org_id = ${reader.orgId}),
      'users', (select json_agg(json_build_array(u.user_name, u.email_key, u.active, u.state, u.reasons, u.matched_by, a.user_name)
        order by u.user_name)
        from provisioned_users u join accounts a on a.org_id = u.org_id and a.id = u.account_id where u.org_id = ${reader.orgId}),
      'groups', (select json_agg(json_build_array(g.name, g.effective, d.name, g.member_count, g.add_count, g.remove_count,
          (select json_agg(json_build_array(a.user_name, m.pushed, m.effective, m.waiting) order by a.user_name)
            from memberships m join accounts a on a.org_id = m.org_id and a.id = m.account_id where m.org_id = g.org_id and m.group_id = g.id))
        order by g.name)
        from groups g left join directories d on d.org_id = g.org_id and d.id = g.managed_by where g.org_id = ${reader.orgId}),
      'pushed', (select json_agg(json_build_array(p.name, p.state, p.reasons, p.is_linked, g.name,
          (select json_agg(x.value order by x.value) from unknown_members x where x.org_id = p.org_id and x.provisioned_group_id = p.id))
        order by p.name)
        from provisioned_groups p join groups g on g.org_id = p.org_id and g.id = p.group_id where p.org_id = ${reader.orgId})) as state`.execute(
    reader,
  )
  return rows[0]?.state
}

/** An organization with people, one of them switched off, and two groups; and a provider that pushes to it. */
async function worldOf(db: Db, url: string, observing: boolean) {
  const org = await createTestOrganization(db)
  const api: Client = clientOf(`${url}/api/v1`, 'application/json', org.adminToken)
  const acme = organizationOf(api)
  await acme.has({ group: 'Taken', members: ['ada', 'bob'] })
  await acme.has({ group: 'Other', members: ['bob', 'cyd'] })
  await acme.grants('Taken', 'hq/wiki/user')
  await api('PATCH', '/people/cyd', { active: false })
  const directory = await org.directory({ name: 'okta', observing })
  return { org, api, okta: providerOf(clientOf(`${url}/scim/v2`, 'application/scim+json', undefined), directory) }
}

test('a session in observe mode ends, after going live, in the state of the same session in live mode', {
  timeout: 600_000,
}, async ({ db, server }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const [live, observing] = await Promise.all([worldOf(db, server.url, false), worldOf(db, server.url, true)])
      for (const one of steps) expect(await done(observing.okta, one), JSON.stringify(one)).toEqual(await done(live.okta, one))
      const { fingerprint } = (await observing.api('GET', '/directories/okta/observation')).body
      const started = await observing.api('POST', '/directories/okta/go-live', { fingerprint })
      expect(started.status, JSON.stringify(started.body)).toBe(202)
      const run = await syncing(observing.api, 'okta').ended(started.body.id)
      expect(run.groups.failed + run.groups.skipped).toBe(0)
      const states = await Promise.all([observing, live].map(({ org }) => reading(db, org.scope, stateOf)))
      expect(states[0]).toEqual(states[1])
    }),
    { numRuns: Number(process.env.RUNS ?? 8) },
  )
})
