import { browserOf } from '../support/browser.ts'
import { expect, test } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'

const typeOf = (answer: { status: number; body: { type?: string } }) => [
  answer.status,
  answer.body?.type?.replace('urn:muster:problem:', ''),
]

test('a reviewer decides about groups that give access to their products and to nothing else', async ({
  acme,
  api,
  okta,
  org,
  server,
}) => {
  const access: Record<string, string[]> = {
    Docs: ['site/wiki/user'],
    Both: ['site/wiki/user', 'site/shop/user'],
    Shop: ['site/shop/user'],
    Bare: [],
  }
  await acme.has({ group: 'All', members: ['ada', 'bob'] })
  await okta.knows('ada', 'bob')
  for (const [group, roles] of Object.entries(access)) {
    await acme.has({ group, members: ['ada'] })
    for (const role of roles) await acme.grants(group, role)
    await okta.pushes({ group, members: ['bob'] })
  }
  const { body } = await api('POST', '/admins', { person: 'rev@example.org', role: 'reviewer', products: ['site/wiki'] })
  const reviewer = browserOf(server.url)
  await reviewer('POST', '/sign-in/link', { link: body.link.url.split('#')[1] })
  const { body: token } = await api('POST', '/api-tokens', { name: 'x', role: 'reviewer' })
  expect(token.type).toBe('urn:muster:problem:invalid_value')

  const directory = okta.directory.id
  const one = async (name: string) => (await reviewer('GET', `/reviews/${name}`)).body
  const runs = `/directories/${directory}/runs`
  for (const group of ['Both', 'Shop', 'Bare']) {
    const { fingerprint } = await one(group)
    const asked = { selection: { mode: 'ids', ids: [group] }, fingerprint }
    expect(typeOf(await reviewer('POST', runs, asked)), group).toEqual([403, 'not_permitted'])
    expect(typeOf(await reviewer('POST', runs, { ...asked, dryRun: true })), group).toEqual([403, 'not_permitted'])
    expect(typeOf(await reviewer('PUT', `/reviews/${group}/viewed`, { fingerprint })), group).toEqual([403, 'not_permitted'])
  }
  const { fingerprint } = await one('Docs')
  const all = await reviewer('POST', runs, { selection: { mode: 'filter', filter: {} }, fingerprint })
  expect(all.body.detail).toMatch(/3 of these are others: Bare, Both, Shop\./)
  // Linked to a group of another product, it would decide about that one.
  const linked = { selection: { mode: 'ids', ids: ['Docs'] }, links: { Docs: 'Shop' }, fingerprint }
  expect((await reviewer('POST', runs, linked)).status).not.toBe(202)
  expect((await reviewer('PUT', '/reviews/Docs/viewed', { fingerprint })).status).toBe(204)
  const started = await reviewer('POST', runs, { selection: { mode: 'ids', ids: ['Docs'] }, fingerprint })
  expect([started.status, started.body.createdBy]).toEqual([202, 'person:rev@example.org'])
  await syncing(api, directory).ended(started.body.id)
  expect(await acme.membersOf('Docs')).toEqual(['bob'])

  const document = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as { paths: Record<string, object> }
  const open = /\/sign-in|\/session|\/(effect|selections)|\/runs$|\/(viewed|reopen|retry|withdraw)$/
  let asked = 0
  for (const [path, methods] of Object.entries(document.paths))
    for (const method of Object.keys(methods).filter((each) => each !== 'get' && !open.test(path))) {
      const { status } = await reviewer(method.toUpperCase(), path.slice('/api/v1'.length).replaceAll(/\{\w+\}/g, 'x'), {})
      expect(status, `${method} ${path}`).toBe(403)
      asked++
    }
  expect(asked).toBeGreaterThan(30)
  expect(org.slug).toBeTruthy()
})

test('two tokens and a session of one person are one: they do not approve their own run', async ({ acme, api, okta, server }) => {
  await acme.has({ group: 'Docs', members: ['ada', 'bob'] })
  await acme.grants('Docs', 'site/wiki/user')
  await okta.knows('ada')
  await okta.pushes({ group: 'Docs', members: ['ada'] })
  await api('PATCH', '/organization', { approval: { peopleLosing: 0 } })
  const { body } = await api('POST', '/admins', { person: 'eve@example.org', role: 'admin' })
  const eve = browserOf(server.url)
  await eve('POST', '/sign-in/link', { link: body.link.url.split('#')[1] })
  const tokens = await Promise.all(
    ['one', 'two'].map(async (name) => (await eve('POST', '/api-tokens', { name, role: 'admin' })).body.token),
  )
  const { fingerprint } = (await eve('GET', '/reviews/Docs')).body
  const asked = await api(
    'POST',
    `/directories/${okta.directory.id}/runs`,
    { selection: { mode: 'ids', ids: ['Docs'] }, fingerprint },
    { token: tokens[0] },
  )
  expect(asked.body).toMatchObject({ state: 'awaiting_approval', createdBy: 'person:eve@example.org' })
  const approve = `/runs/${asked.body.id}/approve`
  expect(typeOf(await eve('POST', approve, {}))).toEqual([403, 'not_permitted'])
  expect(typeOf(await api('POST', approve, {}, { token: tokens[1] }))).toEqual([403, 'not_permitted'])
  expect((await api('POST', approve, {})).status).toBe(200)
})
