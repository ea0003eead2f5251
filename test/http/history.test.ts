import { expect, test } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'

test('the history of a group: what was done, by whom, in which run, the newest first', async ({ acme, api, okta }) => {
  const history = async (path: string) =>
    (await api('GET', `${path}/history`)).body.items.map(
      ({ actor, text }: { actor: string; text: string }) => `${actor}: ${text}`,
    )
  await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
  await acme.grants('Sales', 'site/wiki/write')
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'sales', members: ['ada', 'cyd'] })
  await syncing(api, 'okta').syncs('all', { note: 'as agreed' })
  await okta.adds('sales', ['bob'])
  await okta.renames('sales', 'Selling')
  await okta.removes('sales', ['cyd'])

  expect((await history('/groups/Selling')).toReversed()).toEqual([
    'token:tests owner: The group "Sales" was made.',
    'token:tests owner: Added ada, bob.',
    'token:tests owner: Given site/wiki/write.',
    'directory:okta: "sales" was pushed: it needs review, because its name was taken.',
    'directory:okta: Pushed, not in force by that: cyd; no longer pushed: bob.',
    'token:tests owner: Added cyd; removed bob.',
    'token:tests owner: Renamed from "Sales" to "sales".',
    'token:tests owner: Linked: okta manages it.',
    'token:tests owner: Pushed as "sales": it is synced.',
    'directory:okta: 1 member pushed who is no user of the directory: bob.',
    'directory:okta: The provider calls it "Selling", was "sales".',
    'directory:okta: Renamed from "sales" to "Selling".',
    'directory:okta: Removed cyd.',
  ])
  expect((await history('/people/cyd')).toReversed()).toEqual([
    'directory:okta: The account was made.',
    'directory:okta: Okta pushed the person: nobody here was alike.',
    'directory:okta: Pushed into "Selling"; not in force by that.',
    'token:tests owner: Came into "sales".',
    'directory:okta: Taken out of "Selling".',
  ])
  const [newest, run] = (await api('GET', '/groups/Selling/history?limit=1')).body.items.concat(
    (await api('GET', '/people/cyd/history')).body.items[1],
  )
  expect(newest).toMatchObject({ requestId: expect.any(String), directory: 'okta', run: null })
  expect(run).toMatchObject({ run: { note: 'as agreed' } })
  expect((await history('/directories/okta')).join('\n')).toMatch(/"sales" was pushed: it needs review/)
})

test('a history goes on page by page, and that of a deleted group is there', async ({ acme, api }) => {
  await acme.has({ group: 'Sales', members: ['ada'] })
  await acme.deletes('Sales')
  const texts: string[] = []
  for (let before: string | null = ''; before !== null; ) {
    const { body }: { body: { items: { text: string }[]; next: string | null } } = await api(
      'GET',
      `/groups/Sales/history?limit=1${before === '' ? '' : `&before=${before}`}`,
    )
    texts.push(...body.items.map(({ text }) => text))
    before = body.next
  }
  expect(texts).toEqual(['The group "Sales" was deleted; removed ada.', 'Added ada.', 'The group "Sales" was made.'])
  expect((await api('GET', '/groups/Nobody/history')).status).toBe(404)
  expect((await api('GET', '/people/ada/history?before=x')).status).toBe(400)
})
