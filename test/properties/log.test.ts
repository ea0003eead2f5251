import fc from 'fast-check'
import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import type { Client } from '../support/clients.ts'
import { entriesAfter, redo, type State, stateOf, undo, writtenUnseen } from '../support/log-replay.ts'
import { expect, type Organization, type Provider, test } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'

// Random changes through every door, then the log read backwards and forwards.

interface World {
  acme: Organization
  providers: Provider[]
  api: Client
  syncs: ReturnType<typeof syncing>
}

type Command = { says: string; does: (world: World) => Promise<unknown> }

const person = fc.constantFrom('ada', 'bob', 'cyd', 'dee')
const people = fc.subarray(['ada', 'bob', 'cyd', 'dee', 'nobody', 'G1', 'G2', 'G3'])
const group = fc.constantFrom('G1', 'G2', 'G3', 'G4')
const name = fc.constantFrom('G1', 'g2', 'G4', 'Other', 'Ünlike')
const role = fc.constantFrom('acme/wiki/user', 'acme/wiki/admin', 'east/crm/read')
const of = fc.constantFrom(0, 1)
const on = fc.boolean()
const at = (name: string) => encodeURIComponent(name)
const provider = ({ providers }: World, index: number) => providers[index] as Provider

const commands: fc.Arbitrary<Command>[] = [
  fc.record({ of, person }).map(({ of, person }) => ({
    says: `${of} knows ${person}`,
    does: (w) =>
      provider(w, of)
        .knows(person)
        .catch(() => undefined),
  })),
  ...Array.from({ length: 2 }, () =>
    fc.record({ of, group, members: people }).map(({ of, group, members }) => ({
      says: `${of} pushes ${group} ${members}`,
      does: (w: World) => provider(w, of).pushes({ group, members }),
    })),
  ),
  ...Array.from({ length: 3 }, () =>
    fc
      .record({ of, group, members: people, how: fc.constantFrom('adds' as const, 'removes' as const, 'replaces' as const) })
      .map(({ of, group, members, how }) => ({
        says: `${of} ${how} ${group} ${members}`,
        does: (w: World) => nesting(provider(w, of), how, group, members),
      })),
  ),
  fc.record({ of, group, name }).map(({ of, group, name }) => ({
    says: `${of} renames ${group} ${name}`,
    does: (w) => provider(w, of).renames(group, name),
  })),
  fc
    .record({ of, group })
    .map(({ of, group }) => ({ says: `${of} deletes ${group}`, does: (w) => provider(w, of).deletes(group) })),
  fc.record({ of, person, on }).map(({ of, person, on }) => ({
    says: `${of} switches ${person} ${on}`,
    does: (w) => provider(w, of).switches(person, on ? 'on' : 'off'),
  })),
  fc.record({ of, person, title: name }).map(({ of, person, title }) => ({
    says: `${of} describes ${person} ${title}`,
    does: (w) =>
      provider(w, of).request('PATCH', `/Users/${provider(w, of).idOfPerson(person)}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [
          { op: 'replace', value: { title, externalId: `x-${title}` } },
          { op: 'remove', path: title === 'Other' ? 'displayName' : 'nickName' },
        ],
      }),
  })),
  fc.record({ of, person }).map(({ of, person }) => ({
    says: `${of} deletes ${person}`,
    does: (w) => provider(w, of).deletesPerson(person),
  })),
  fc.record({ of, which: fc.nat({ max: 3 }), members: fc.subarray(['ada', 'bob']) }).map(({ of, which, members }) => ({
    says: `${of} writes to offer ${which} ${members}`,
    does: async (w) => {
      const offered = ((await provider(w, of).request('GET', '/Groups')).body.Resources ?? []).filter(
        (one: Record<string, { state?: string }>) =>
          one['urn:muster:params:scim:schemas:extension:sync:1.0:Group']?.state === 'offered',
      )[which]
      return offered === undefined ? 404 : provider(w, of).adds(offered.id, members)
    },
  })),
  fc.record({ group: name, members: fc.subarray(['ada', 'bob', 'eve']) }).map(({ group, members }) => ({
    says: `admin has ${group} ${members}`,
    does: (w) => w.acme.has({ group, members }).catch(() => undefined),
  })),
  fc
    .record({ group: name, add: fc.subarray(['ada', 'eve']), remove: fc.subarray(['bob', 'ada']) })
    .map(({ group, add, remove }) => ({
      says: `admin changes members of ${group}`,
      does: (w) => w.api('PATCH', `/groups/${at(group)}/members`, { add: add.filter((one) => !remove.includes(one)), remove }),
    })),
  fc.record({ group: name, to: name, on }).map(({ group, to, on }) => ({
    says: `admin renames ${group} ${to}`,
    does: (w) => w.api('PATCH', `/groups/${at(group)}`, { name: to, description: to, isProtected: on }),
  })),
  fc.record({ group: name, on }).map(({ group, on }) => ({
    says: `admin restores ${group}`,
    does: async (w) => {
      const [deleted] = (await w.api('GET', `/deleted-groups?search=${at(group)}`)).body.items
      if (deleted === undefined) return 404
      const { restores } = (await w.api('GET', `/deleted-groups/${deleted.id}`)).body
      const { fingerprint } = restores ?? {}
      return w.api('POST', `/deleted-groups/${deleted.id}/restore`, { fingerprint, ...(on ? {} : { name: `${group} again` }) })
    },
  })),
  fc.record({ of, group, name, how: fc.constantFrom('link', 'unlink', 'keep', 'rename') }).map(({ of, group, name, how }) => ({
    says: `admin has ${group} ${how} ${name}`,
    does: (w) => {
      const path = `/reviews/${provider(w, of).idOf(group)}`
      if (how === 'link') return w.api('PUT', `${path}/link`, { to: name })
      if (how === 'unlink') return w.api('DELETE', `${path}/link`)
      return w.api('PUT', `${path}/name`, { choice: how === 'keep' ? 'keep' : 'rename_existing' })
    },
  })),
  fc.record({ of, on }).map(({ of, on }) => ({
    says: `admin has deletions delete ${of} ${on}`,
    does: (w) => w.api('PATCH', `/directories/${provider(w, of).directory.id}`, { deletedGroups: on ? 'delete' : 'unmanage' }),
  })),
  name.map((group) => ({ says: `admin deletes ${group}`, does: (w) => w.acme.deletes(group) })),
  fc.record({ group: name, role, isDefault: on }).map(({ group, role, isDefault }) => ({
    says: `admin grants ${group} ${role} ${isDefault}`,
    does: (w) => w.acme.grants(group, role, { isDefault }).catch(() => undefined),
  })),
  fc.record({ group: name, role, how: fc.constantFrom('stop', 'make', 'remove') }).map(({ group, role, how }) => ({
    says: `admin ${how}s the grant ${group} ${role}`,
    does: async (w) => {
      const { items = [] } = (await w.api('GET', `/grants?group=${at(group)}&limit=0`)).body
      const grant = items.find((one: Record<string, string>) => `${one.site}/${one.product}/${one.role}` === role)
      const path = `/grants/${at(group)}/${grant?.roleId}`
      return how === 'remove' ? w.api('DELETE', path) : w.api('PATCH', path, { isDefault: how === 'make' })
    },
  })),
  fc.record({ person, on, active: on, displayName: name }).map(({ person, on, active, displayName }) => ({
    says: `admin changes ${person}`,
    does: async (w) => {
      await w.api('PATCH', `/people/${person}`, { isProtected: on })
      return w.api('PATCH', `/people/${person}`, { active, displayName })
    },
  })),
  fc
    .record({ of, policy: fc.constantFrom('review', 'refuse'), domain: fc.constantFrom('example.org', 'example.com') })
    .map(({ of, policy, domain }) => ({
      says: `admin sets directory ${of} ${policy}`,
      does: (w) =>
        w.api('PATCH', `/directories/${provider(w, of).directory.id}`, {
          conflictPolicy: policy,
          emailDomains: ['example.org', domain],
        }),
    })),
  fc.record({ name: fc.uuid(), on }).map(({ name, on }) => ({
    says: 'admin makes a token',
    does: async (w) => {
      const { body } = await w.api('POST', '/api-tokens', { name, role: 'auditor' })
      return on ? w.api('DELETE', `/api-tokens/${body.id}`) : 201
    },
  })),
  fc.record({ person, name, role }).map(({ person, name, role }) => ({
    says: `admin imports ${person} ${name}`,
    does: (w) =>
      w.api('POST', '/imports', {
        users: `user_name,email,display_name\n${person},${person}@example.org,${name}\n`,
        groups: `group,description\n${name},of ${person}\n`,
        members: `group,user_name\n${name},${person}\n`,
        access: `site,product,role,group,default\n${role.split('/').join(',')},${name},false\n`,
      }),
  })),
  fc.constant({
    says: 'admin views a review',
    does: async (w: World) => {
      const path = `/directories/${w.providers[0]?.directory.id}/reviews`
      const [first] = (await w.api('GET', path)).body.items
      return first === undefined ? 404 : w.api('PUT', `${path}/${first.id}/viewed`, { fingerprint: 'seen' })
    },
  }),
  fc.record({ of, group, to: name }).map(({ of, group, to }) => ({
    says: `admin links ${of}'s ${group} to ${to}`,
    does: (w) => w.api('PUT', `/reviews/${provider(w, of).idOf(group)}/link`, { to }),
  })),
  fc.record({ of, group }).map(({ of, group }) => ({
    says: `admin unlinks ${of}'s ${group}`,
    does: (w) => w.api('DELETE', `/reviews/${provider(w, of).idOf(group)}/link`),
  })),
  fc.record({ of, group, choice: fc.constantFrom('keep', 'rename_existing') }).map(({ of, group, choice }) => ({
    says: `admin settles the name of ${of}'s ${group}: ${choice}`,
    does: (w) => w.api('PUT', `/reviews/${provider(w, of).idOf(group)}/name`, { choice }),
  })),
  fc.constant({
    says: 'admin syncs all',
    does: async (w: World) => {
      const { status, body } = await w.syncs.asks('all', { acceptEmpty: true })
      if (status === 202) await w.syncs.ended(body.id)
      return status
    },
  }),
]

// Groups as members, by their ids.
function nesting(provider: Provider, how: 'adds' | 'removes' | 'replaces', group: string, members: string[]) {
  return provider[how](
    group,
    members.map((one) => (one.startsWith('G') ? provider.idOf(one) : one)),
  )
}

test('every change is in the log, with what is needed to undo it', { timeout: 600_000 }, async ({
  acme,
  okta,
  entra,
  api,
  inOrg,
}) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...commands), { minLength: 10, maxLength: 30 }), async (sequence) => {
      const world = { acme, providers: [okta, entra], api, syncs: syncing(api, okta.directory.id) }
      const before = await inOrg(stateOf)
      const last = await inOrg(lastEntry)
      for (const { says, does } of sequence) {
        // A no is as good as a yes, but what has no answer is a fault of ours.
        const answer = (await does(world)) as number | { status: number } | undefined
        expect(typeof answer === 'object' ? answer.status : (answer ?? 200), says).toBeLessThan(500)
      }
      const after = await inOrg(stateOf)
      const entries = await inOrg((trx) => entriesAfter(trx, last))
      const undone: State = new Map(after)
      for (const entry of entries.toReversed()) undo(undone, entry)
      expect(inOrder(undone)).toEqual(inOrder(before))
      const redone: State = new Map(before)
      for (const entry of entries) redo(redone, entry)
      expect(inOrder(redone)).toEqual(inOrder(after))
      expect(await inOrg(writtenUnseen)).toEqual([])
    }),
    { numRuns: 25 },
  )
})

const lastEntry = async (trx: Trx): Promise<string> =>
  (await sql<{ id: string }>`select coalesce(max(id), 0)::text as id from log_entries where org_id = ${trx.orgId}`.execute(trx))
    .rows[0]?.id ?? '0'

const inOrder = (state: State) => [...state].sort(([a], [b]) => (a < b ? -1 : 1))
