import { sql } from 'kysely'
import { reading } from '../../src/database/transaction.ts'
import { expect, test } from '../support/story.ts'

const then = async (
  api: (method: string, path: string) => Promise<{ body: { items: { userName?: string; change?: string }[] } }>,
  path: string,
) => (await api('GET', path)).body.items

test('who could do what at a moment, and what is other now: of a person, a role, a group', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Writers', members: ['ada', 'bob'] })
  await acme.grants('Writers', 'site/wiki/write')
  const moment = new Date().toISOString()
  await acme.renames('Writers', 'Authors')
  await acme.has({ group: 'Readers', members: ['ada', 'cyd'] })
  await acme.grants('Readers', 'site/wiki/read')
  await api('PATCH', '/groups/Authors/members', { remove: ['ada'], add: ['cyd'] })
  await api('PATCH', '/people/bob', { active: false })

  expect(await then(api, `/people/ada/access?at=${moment}`)).toMatchObject([
    { site: 'site', product: 'wiki', role: 'write', through: ['Writers'] },
  ])
  expect(await then(api, `/people/ada/access/changes?since=${moment}&sort=role`)).toMatchObject([
    { role: 'read', change: 'gained', throughThen: [], throughNow: ['Readers'] },
    { role: 'write', change: 'lost', throughThen: ['Writers'], throughNow: [] },
  ])
  const role = encodeURIComponent('site/wiki/write')
  expect(await then(api, `/roles/${role}/people?at=${moment}`)).toMatchObject([{ userName: 'ada' }, { userName: 'bob' }])
  expect(await then(api, `/roles/${role}/people/changes?since=${moment}`)).toMatchObject([
    { userName: 'ada', change: 'lost' },
    { userName: 'bob', change: 'lost' },
    { userName: 'cyd', change: 'gained', throughNow: ['Authors'] },
  ])
  expect((await api('GET', `/roles/${role}/people?at=${moment}&format=csv`)).body).toBe(
    'user_name,email,display_name,through\r\nada,ada@example.org,ada,Writers\r\nbob,bob@example.org,bob,Writers\r\n',
  )
  expect(await then(api, `/groups/Authors/members?at=${moment}`)).toMatchObject([
    { userName: 'ada' },
    { userName: 'bob', active: false },
  ])
  expect(await then(api, `/groups/Authors/members/changes?since=${moment}`)).toMatchObject([
    { userName: 'ada', change: 'lost' },
    { userName: 'cyd', change: 'gained' },
  ])
  await acme.deletes('Authors')
  expect(await then(api, `/groups/Authors/members?at=${moment}`)).toMatchObject([{ userName: 'ada' }, { userName: 'bob' }])
  expect(await then(api, `/roles/${role}/people?at=${moment}`)).toMatchObject([{ userName: 'ada' }, { userName: 'bob' }])
  expect(okta.directory.name).toBe('okta')
})

test('an entry of the log is a moment too: right after it, its whole transaction included', async ({ acme, api, db, org }) => {
  await acme.has({ group: 'Writers', members: ['ada'] })
  await api('PATCH', '/groups/Writers/members', { add: [], remove: ['ada'] })
  const entries = await reading(db, org.scope, async (reader) => {
    const { rows } = await sql<{
      id: string
    }>`select id from log_entries where org_id = ${org.id} and action = 'members.changed' order by id`.execute(reader)
    return rows.map(({ id }) => id)
  })
  expect(await then(api, `/groups/Writers/members?at=${entries[0]}`)).toMatchObject([{ userName: 'ada' }])
  expect(await then(api, `/groups/Writers/members?at=${entries[1]}`)).toEqual([])
})

test('what is no moment of the past is refused in plain words', async ({ acme, api, db, second }) => {
  await acme.has({ group: 'Writers', members: ['ada'] })
  const theirs = await reading(db, second, async (reader) => {
    const { rows } = await sql<{
      id: string
    }>`select max(id)::text as id from log_entries where org_id = ${second.orgId}`.execute(reader)
    return rows[0]?.id
  })
  const refused: [string, number, RegExp][] = [
    ['2001-01-01T00:00:00Z', 400, /^The organization began at 20.+Z\. Ask for a moment since then\.$/],
    ['2001-01-01', 400, /^The organization began/],
    ['2999-01-01T00:00:00Z', 400, /has not come yet/],
    ['yesterday', 400, /is no moment/],
    ['2026-02-30T00:00:00Z', 400, /is no moment/],
    ['999999999999', 404, /no such entry/],
    [theirs ?? '', 404, /no such entry/],
  ]
  for (const [at, status, detail] of refused) {
    const answer = await api('GET', `/people/ada/access?at=${at}`)
    expect({ at, status: answer.status, detail: answer.body.detail }).toEqual({
      at,
      status,
      detail: expect.stringMatching(detail),
    })
  }
  expect((await api('GET', '/people/ada/access/changes')).status).toBe(400)
})
