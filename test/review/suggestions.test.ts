import fc from 'fast-check'
import { sql } from 'kysely'
import type { Scope, Trx } from '../../src/database/connection.ts'
import { type DirectoryId, newId } from '../../src/database/ids.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { createOrganization } from '../../src/organization/organizations.ts'
import { createDirectory } from '../../src/provisioning/directories.ts'
import { listSuggestions } from '../../src/review/suggestions.ts'
import { sampleWorld } from '../support/reference.ts'
import { expect, test } from '../support/story.ts'
import { storeWorld } from './stored-world.ts'

const suggested = (items: { group: { name: string }; existing: { name: string }; names: string | null; members: object }[]) =>
  items.map(({ group, existing, names, members }) => [group.name, existing.name, names, members])

test('pushed groups with other names but overlapping members are suggested, with the figure, the most alike first', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Painters', members: ['ada', 'bob', 'cyd', 'dee'] })
  await acme.has({ group: 'Half', members: ['eve', 'fay'] })
  await acme.has({ group: 'Less than half', members: ['eve', 'fay', 'gus', 'hal'] })
  await acme.grants('Painters', 'site/wiki/user')
  await okta.knows('ada', 'bob', 'cyd', 'eve', 'ivy')
  await okta.pushes({ group: 'Artists', members: ['ada', 'bob', 'cyd'] })
  await okta.pushes({ group: 'Quite other', members: ['eve'] })
  await okta.pushes({ group: 'Nobody’s', members: ['ivy'] })
  const { status, body } = await api('GET', `/directories/${okta.directory.id}/suggestions`)
  expect(status).toBe(200)
  expect(body.total).toBe(2)
  expect(suggested(body.items)).toEqual([
    ['Artists', 'Painters', null, { common: 3, jaccard: 0.75 }],
    ['Quite other', 'Half', null, { common: 1, jaccard: 0.5 }],
  ])
  expect(body.items[0]).toMatchObject({ group: { state: 'synced', memberCount: 3 }, existing: { memberCount: 4, grantCount: 1 } })
  expect(
    suggested((await api('GET', `/directories/${okta.directory.id}/suggestions?sort=-name&limit=1`)).body.items),
  ).toMatchObject([['Quite other', 'Half', null, { common: 1, jaccard: 0.5 }]])
  expect((await api('GET', `/directories/${okta.directory.id}/suggestions?search=paint`)).body.total).toBe(1)
  expect((await api('GET', `/directories/${okta.directory.id}/suggestions?offset=1&limit=1`)).body.items).toHaveLength(1)
  expect((await api('GET', `/directories/${okta.directory.id}/suggestions?offset=9`)).body).toEqual({ total: 2, items: [] })
})

test('pushed groups with alike names are suggested, whoever is in them', async ({ acme, api, okta }) => {
  const pairs = {
    'app-Sales Europe': ['sales/europe', 'says_the_same'],
    'team Design': ['Design Group', 'says_the_same'],
    Pаypal: ['Paypal', 'looks_the_same'],
    'Operations-1': ['0perations-l', 'looks_the_same'],
    Designers: ['Designer', 'nearly_the_same'],
    Enginering: ['Engineering', 'nearly_the_same'],
    'Region 11': ['Region 12', null],
    Docs: ['Dogs', null],
  }
  for (const [pushed, [existing]] of Object.entries(pairs)) {
    await acme.has({ group: existing as string, members: [] })
    await okta.pushes({ group: pushed })
  }
  const { body } = await api('GET', `/directories/${okta.directory.id}/suggestions?sort=name`)
  const expected = Object.entries(pairs).filter(([, [, names]]) => names !== null)
  expect(suggested(body.items).sort()).toEqual(
    expected.map(([pushed, [existing, names]]) => [pushed, existing, names, { common: 0, jaccard: 0 }]).sort(),
  )
})

test('only what may be linked to is suggested: not managed, protected, default access or pushed by anybody', async ({
  acme,
  api,
  okta,
  entra,
}) => {
  for (const group of ['Crew A', 'Crew B', 'Crew C', 'Crew E']) await acme.has({ group, members: ['ada'] })
  await acme.protects('Crew A')
  await acme.grants('Crew B', 'site/wiki/user', { isDefault: true })
  await entra.pushes({ group: 'Crew C' })
  await entra.knows('ada')
  await entra.pushes({ group: 'Managed', members: ['ada'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'Crew D', members: ['ada'] })
  const { body } = await api('GET', `/directories/${okta.directory.id}/suggestions`)
  expect(suggested(body.items)).toEqual([['Crew D', 'Crew E', 'nearly_the_same', { common: 1, jaccard: 1 }]])
})

test('a group that awaits review is suggested another one only if its members are nearer to that', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Art', members: ['ada', 'bob'] })
  await acme.has({ group: 'Arts', members: ['ada', 'bob'] })
  await acme.has({ group: 'Drawing', members: ['ada', 'bob', 'cyd'] })
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'Art', members: ['ada', 'bob', 'cyd'] })
  const { body } = await api('GET', `/directories/${okta.directory.id}/suggestions`)
  expect(suggested(body.items)).toEqual([['Art', 'Drawing', null, { common: 3, jaccard: 1 }]])
})

test('a group in force that gives access is in use: nothing is suggested for it', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Design', members: ['ada'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'app-Design', members: ['ada'] })
  expect((await api('GET', `/directories/${okta.directory.id}/suggestions`)).body.total).toBe(1)
  await acme.grants('app-Design', 'site/wiki/user')
  expect((await api('GET', `/directories/${okta.directory.id}/suggestions`)).body.total).toBe(0)
})

test('«not the same» is remembered, listed, and can be taken back', async ({ acme, api, okta, org }) => {
  await acme.has({ group: 'Design', members: ['ada'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'app-Design', members: ['ada'] })
  const suggestions = `/directories/${okta.directory.id}/suggestions`
  const pair = '/reviews/app-Design/not-the-same/Design'
  expect((await api('PUT', pair, undefined, { token: await org.token('auditor') })).status).toBe(403)
  expect((await api('PUT', pair)).status).toBe(204)
  expect((await api('PUT', pair)).status).toBe(204)
  expect((await api('GET', suggestions)).body.total).toBe(0)
  expect((await api('GET', `${suggestions}?rejected=true`)).body).toMatchObject({
    total: 1,
    items: [{ group: { name: 'app-Design' }, existing: { name: 'Design' }, members: { common: 1, jaccard: 1 } }],
  })
  expect((await api('DELETE', pair)).status).toBe(204)
  expect((await api('GET', suggestions)).body.total).toBe(1)
  expect((await api('PUT', '/reviews/app-Design/not-the-same/Nobody')).status).toBe(404)
})

test('a suggestion that is taken is a review, and no suggestion any more', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Design', members: ['ada'] })
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'app-Design', members: ['ada', 'bob'] })
  expect((await api('PUT', '/reviews/app-Design/link', { to: 'Design' })).body).toMatchObject({
    state: 'needs_review',
    members: { added: 1, removed: 0, unchanged: 1 },
  })
  expect((await api('GET', `/directories/${okta.directory.id}/suggestions`)).body.total).toBe(0)
})

test('a review warns of a name that looks like another group’s, and its fingerprint knows', async ({ acme, api, okta }) => {
  const imitation = 'Sаles'
  await acme.has({ group: imitation, members: ['ada'] })
  await okta.pushes({ group: imitation })
  const warnings = async () => {
    const { warnings, fingerprint } = (await api('GET', `/reviews/${encodeURIComponent(imitation)}`)).body
    return { codes: warnings.map(({ code }: { code: string }) => code), fingerprint }
  }
  const before = await warnings()
  expect(before.codes).not.toContain('look_alike')
  await acme.has({ group: 'Sales', members: ['bob'] })
  const after = await warnings()
  expect(after.codes).toContain('look_alike')
  expect(after.fingerprint).not.toBe(before.fingerprint)
  const { body } = await api('POST', `/directories/${okta.directory.name}/reviews/effect`, {
    selection: { mode: 'filter', filter: {} },
  })
  expect(body.warnings).toContainEqual(expect.objectContaining({ code: 'look_alike', groups: 1 }))
  await acme.renames('Sales', 'Revenue')
  expect(await warnings()).toEqual(before)
})

test('of kubernetes-org, what comparing every pair finds', async ({ db, org, inOrg }) => {
  const world = sampleWorld()
  const { id } = await org.directory()
  await inOrg((trx) => storeWorld(trx, world, id))
  const found = await reading(db, org.scope, (reader) => listSuggestions(reader, id, { limit: 0 }))
  const jaccard = (one: ReadonlySet<string>, other: ReadonlySet<string>) => one.intersection(other).size / one.union(other).size
  const unmanaged = world.groups.filter(({ pushed, isDefault, isApart }) => !pushed && !isDefault && !isApart)
  const expected = world.groups.flatMap(({ name, effective, pushed }) =>
    pushed === undefined || pushed.size === 0
      ? []
      : unmanaged
          .filter(
            (other) => jaccard(pushed, other.effective) >= 0.5 && jaccard(pushed, other.effective) > jaccard(pushed, effective),
          )
          .map((other) => `${name} ${other.name}`),
  )
  expect(expected.length).toBeGreaterThan(10)
  expect(
    found.items
      .filter(({ members }) => members.jaccard >= 0.5)
      .map(({ group, existing }) => `${group.name} ${existing.name}`)
      .sort(),
  ).toEqual(expected.sort())
})

const people = 12
const someone = fc.uniqueArray(fc.nat({ max: people - 1 }), { maxLength: people })
const few = fc.uniqueArray(fc.nat({ max: people - 1 }), { maxLength: 3 })
const sets = fc.array(fc.oneof(someone, few), { maxLength: 8 })

test('overlapping members are those that comparing every pair finds', async ({ db }) => {
  const scope: Scope = { orgId: newId(), actor: 'test' }
  const directoryId = await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: 'overlaps' })
    return (await createDirectory(trx, { name: 'okta', provider: 'okta' })).id
  })
  await fc.assert(
    fc.asyncProperty(sets, sets, async (pushed, existing) => {
      const found = await inTransaction(db, scope, async (trx) => {
        await store(trx, directoryId, pushed, existing)
        return (await listSuggestions(trx, directoryId, {})).items
      })
      expect(found.map(({ group, existing, members: { common } }) => `${group.name} ${existing.name} ${common}`).sort()).toEqual(
        compared(pushed, existing).sort(),
      )
    }),
    { numRuns: 100 },
  )
}, 120_000)

function compared(pushed: number[][], existing: number[][]): string[] {
  return pushed.flatMap((one, p) =>
    existing.flatMap((other, e) => {
      const common = one.filter((member) => other.includes(member)).length
      return common > 0 && common / (one.length + other.length - common) >= 0.5 ? [`p${p} e${e} ${common}`] : []
    }),
  )
}

/** Groups `p0`, `p1` … that were pushed and `e0`, `e1` … that exist, in place of those that were there. */
async function store(trx: Trx, directoryId: DirectoryId, pushed: number[][], existing: number[][]): Promise<void> {
  const org = sql`${trx.orgId}::uuid`
  for (const table of ['provisioned_groups', 'groups', 'accounts'])
    await sql`delete from ${sql.table(table)} where org_id = ${org}`.execute(trx)
  const accounts = Array.from({ length: people }, () => newId())
  const rows = [
    ...pushed.map((members, at) => ({ name: `p${at}`, members })),
    ...existing.map((members, at) => ({ name: `e${at}`, members })),
  ].map((row) => ({ ...row, id: newId() }))
  await sql`insert into accounts (org_id, id, user_name, user_name_key) select ${org}, id, id, id from unnest(${accounts}::uuid[]) as given(id)`.execute(
    trx,
  )
  await sql`
    insert into groups (org_id, id, name, name_key, member_count)
    select ${org}, given.* from unnest(${rows.map(({ id }) => id)}::uuid[], ${rows.map(({ name }) => name)}::text[],
      ${rows.map(({ name }) => name)}::text[], ${rows.map(({ members }) => members.length)}::integer[]) as given`.execute(trx)
  await sql`
    insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state)
    select org_id, id, ${directoryId}, name, name_key, id, 'synced' from groups where org_id = ${org} and name like 'p%'`.execute(
    trx,
  )
  const members = rows.flatMap(({ id, members }) => members.map((member) => ({ id, account: accounts[member] })))
  await sql`
    insert into memberships (org_id, group_id, account_id, pushed, effective)
    select ${org}, given.*, true, true from unnest(${members.map(({ id }) => id)}::uuid[], ${members.map(({ account }) => account)}::uuid[]) as given`.execute(
    trx,
  )
}
