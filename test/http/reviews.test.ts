import { expect, test } from '../support/story.ts'

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>>
}

const selection = { mode: 'filter', filter: {} }
const numbered = (count: number, name: (n: string) => string) =>
  Array.from({ length: count }, (_, n) => name(String(n).padStart(6, '0')))

test('a list of reviews, members or people is a whole file where asked, not its first page', async ({ acme, okta, api }) => {
  const people = numbered(31, (n) => `person-${n}`)
  await acme.has({ group: 'Large', members: people })
  await acme.grants('Large', 'site/product/user')
  await okta.pushes({ group: 'Large' })
  for (const group of numbered(30, (n) => `Group-${n}`)) {
    await acme.has({ group, members: [] })
    await okta.pushes({ group })
  }
  const linesOf = (csv: string) => csv.trimEnd().split('\r\n').length
  const reviews = await api('GET', '/directories/okta/reviews?format=csv&limit=1&offset=1')
  expect(reviews.headers.get('content-disposition')).toBe('attachment; filename="reviews.csv"')
  const answers = [
    reviews,
    await api('GET', '/reviews/Large/members?format=csv'),
    await api('GET', '/reviews/Large/people?format=csv'),
    await api('POST', '/directories/okta/reviews/effect/people', { selection, format: 'csv' }),
  ]
  expect(answers.map(({ body }) => linesOf(body))).toEqual([32, 32, 32, 32])
  expect((await api('GET', '/directories/okta/reviews')).body.items).toHaveLength(30)
})

test('the document tells of the files', async ({ server }) => {
  const { paths } = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as Document
  const asFile = [
    ['get', '/directories/{directory}/reviews'],
    ['get', '/reviews/{group}/members'],
    ['get', '/reviews/{group}/people'],
    ['post', '/directories/{directory}/reviews/effect/people'],
  ] as const
  for (const [method, path] of asFile)
    expect(Object.keys(paths[`/api/v1${path}`]?.[method]?.responses['200']?.content ?? {}), path).toEqual([
      'application/json',
      'text/csv',
    ])
})

test('a selection and a change of members may name as many as they say, in more than 1 MiB', async ({ acme, okta, api }) => {
  await acme.has({ group: 'Engineering', members: [] })
  await okta.pushes({ group: 'Other' })
  const many = numbered(40_000, (n) => `no such group, in a long name: ${n}`)
  expect(JSON.stringify(many).length).toBeGreaterThan(1024 * 1024)
  const ids = { selection: { mode: 'ids', ids: many } }
  const but = { selection: { mode: 'filter', filter: {}, except: many } }
  const statuses = [
    await api('POST', '/directories/okta/reviews/effect', ids),
    await api('POST', '/directories/okta/reviews/effect/people', ids),
    await api('POST', '/directories/okta/runs', { ...ids, fingerprint: 'x', dryRun: true }),
    await api('PATCH', '/groups/Engineering/members', { add: many }),
  ].map(({ status, body }) => [status, body.type])
  const unknown = [404, 'urn:muster:problem:not_found']
  expect(statuses).toEqual([unknown, unknown, unknown, [400, 'urn:muster:problem:unknown_members']])
  expect((await api('POST', '/directories/okta/reviews/effect', but)).status).not.toBe(413)
})

test('a review says what may be done to it as groups and people do', async ({ acme, okta, api }) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  await okta.knows('bob')
  await okta.pushes({ group: 'Engineering', members: ['bob'] })
  expect((await api('GET', '/reviews/Engineering')).body).toMatchObject({ can: ['sync'], cannot: [] })
  await acme.protects('Engineering')
  expect((await api('GET', '/directories/okta/reviews?state=blocked')).body.items).toMatchObject([
    { can: [], cannot: [{ what: 'sync', why: 'Protected. Lift the protection first.' }] },
  ])
})

test('what a pushed group is blocked by is said as it is: another directory, in force or not, or the same one under another name', async ({
  acme,
  okta,
  entra,
  api,
}) => {
  const why = async (directory: string, name: string) =>
    (await api('GET', `/reviews/${name}?directory=${directory}`)).body.cannot[0].why
  await okta.pushes({ group: 'Ours' })
  await entra.pushes({ group: 'Ours' })
  expect(await why('entra', 'Ours')).toBe('Managed by okta. Release it there.')
  await acme.has({ group: 'Wheel', members: ['ada'] })
  await okta.pushes({ group: 'Wheel' })
  await entra.pushes({ group: 'Wheel' })
  expect(await why('entra', 'Wheel')).toBe('Pushed by okta first. Delete or rename it there.')
  await acme.has({ group: 'Kept', members: [] })
  await okta.pushes({ group: 'Old' })
  await okta.renames('Old', 'Kept')
  await okta.pushes({ group: 'Old' })
  expect(await okta.stateOf('Old')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  expect(await why('okta', 'Old')).toBe(
    'The group of this name is still that of "Kept", which the same directory pushes. Free the name "Kept", or rename one of the two.',
  )
})
