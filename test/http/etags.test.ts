import { expect, test } from '../support/story.ts'

const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const changed = { status: 412, body: { status: '412', detail: expect.stringContaining('Read it again') } }

test('a write with If-Match takes effect on the version that was read, and is refused with 412 on a later one', async ({
  okta,
}) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'G', members: ['ada'] })
  for (const [path, change] of [
    [`/Users/${okta.idOfPerson('ada')}`, patch({ op: 'replace', path: 'title', value: 'Countess' })],
    [`/Groups/${okta.idOf('G')}`, patch({ op: 'add', path: 'members', value: [{ value: okta.idOfPerson('bob') }] })],
  ] as const) {
    const { etag } = await versionOf(okta, path)
    expect((await okta.request('PATCH', path, change, { headers: { 'if-match': etag } })).status).toBeLessThan(300)
    const now = await versionOf(okta, path)
    expect(now.etag).not.toBe(etag)
    for (const method of ['PATCH', 'PUT', 'DELETE'] as const) {
      const body = method === 'PATCH' ? patch({ op: 'replace', path: 'externalId', value: 'late' }) : now.body
      expect(await okta.request(method, path, body, { headers: { 'if-match': etag } }), method).toMatchObject(changed)
    }
    expect(await versionOf(okta, path)).toEqual(now)
    expect((await okta.request('DELETE', path, undefined, { headers: { 'if-match': `"other", ${now.etag}` } })).status).toBe(204)
  }
})

test('If-Match: * asks only that it is there; If-None-Match: * that it is not', async ({ okta }) => {
  await okta.pushes({ group: 'G' })
  const path = `/Groups/${okta.idOf('G')}`
  const rename = patch({ op: 'replace', path: 'displayName', value: 'H' })
  expect(await okta.request('PATCH', path, rename, { headers: { 'if-none-match': '*' } })).toMatchObject(changed)
  expect((await okta.request('PATCH', path, rename, { headers: { 'if-match': '*' } })).status).toBe(204)
  const gone = `/Groups/${crypto.randomUUID()}`
  expect((await okta.request('PATCH', gone, rename, { headers: { 'if-match': '*' } })).status).toBe(404)
})

test('what is not there is a 404 under any condition, as without one', async ({ okta }) => {
  for (const path of [`/Groups/${crypto.randomUUID()}`, `/Users/${crypto.randomUUID()}`])
    for (const [method, body] of [
      ['PATCH', patch({ op: 'replace', path: 'externalId', value: 'x' })],
      ['PUT', { displayName: 'G', userName: 'g' }],
      ['DELETE', undefined],
    ] as const)
      for (const headers of [{ 'if-match': 'W/"3"' }, { 'if-none-match': 'W/"0"' }])
        expect((await okta.request(method, path, body, { headers })).status, `${method} ${path}`).toBe(404)
})

test('of parallel first writes to an offered group that rest on what was read, one takes effect', async ({ acme, okta }) => {
  await acme.has({ group: 'G', members: ['ada'] })
  const people = ['ada', 'bob', 'cyd']
  await okta.knows(...people)
  const [{ id, meta }] = (await okta.request('GET', '/Groups')).body.Resources
  const writes = people.map((name) => patch({ op: 'replace', path: 'members', value: [{ value: okta.idOfPerson(name) }] }))
  const send = (write: unknown) => okta.request('PATCH', `/Groups/${id}`, write, { headers: { 'if-match': meta.version } })
  expect((await Promise.all(writes.map(send))).map(({ status }) => status).sort()).toEqual([204, 412, 412])
  expect((await okta.request('DELETE', `/Groups/${id}`, undefined, { headers: { 'if-match': meta.version } })).status).toBe(412)
})

test('what is only offered is shown as it is now: it is others’ word', async ({ acme, okta }) => {
  await acme.has({ group: 'G', members: ['ada'] })
  const [{ id, meta }] = (await okta.request('GET', '/Groups')).body.Resources
  await acme.renames('G', 'H')
  const answer = await okta.request('GET', `/Groups/${id}`, undefined, { headers: { 'if-none-match': meta.version } })
  expect(answer).toMatchObject({ status: 200, body: { displayName: 'H' } })
})

test('a group has another version when somebody of it is deleted, and when somebody appears whom it named before', async ({
  okta,
}) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'G', members: ['ada', 'bob', 'cyd'] })
  const path = `/Groups/${okta.idOf('G')}`
  const before = await versionOf(okta, path)
  // As many as before, and others.
  await okta.deletesPerson('ada')
  await okta.knows('cyd')
  expect(await okta.membersOf('G')).toEqual(['bob', 'cyd'])
  expect((await okta.request('GET', path, undefined, { headers: { 'if-none-match': before.etag } })).status).toBe(200)
  expect(await okta.request('PUT', path, before.body, { headers: { 'if-match': before.etag } })).toMatchObject(changed)
})

test('who has a version already is answered with 304 and no body, until anything of what is shown has changed', async ({
  okta,
  acme,
}) => {
  await okta.knows('ada', 'bob')
  await acme.has({ group: 'G', members: ['cyd'] })
  await okta.pushes({ group: 'G', members: ['ada'] })
  const group = `/Groups/${okta.idOf('G')}`
  const user = `/Users/${okta.idOfPerson('ada')}`
  const asked = async (path: string, etag: string) =>
    (await okta.request('GET', path, undefined, { headers: { 'if-none-match': etag } })).status
  for (const path of [group, user]) {
    const { etag, body } = await versionOf(okta, path)
    expect(body.meta.version).toBe(etag)
    const answer = await okta.request('GET', path, undefined, { headers: { 'if-none-match': `"other", ${etag}` } })
    expect(answer).toMatchObject({ status: 304, body: undefined })
    expect(answer.headers.get('etag')).toBe(etag)
    expect(await asked(path, '*')).toBe(304)
    expect(await asked(path, 'W/"other"')).toBe(200)
  }
  // What others change beside the provider is shown too: who is in the existing group, in which groups a user is.
  const groupBefore = (await versionOf(okta, group)).etag
  await acme.adds('G', ['dan'])
  expect(await asked(group, groupBefore)).toBe(200)
  const userBefore = (await versionOf(okta, user)).etag
  await okta.pushes({ group: 'H', members: ['ada'] })
  expect(await asked(user, userBefore)).toBe(200)
})

test('who asks for the names of members is told them as they are now: they are the members’, and no version of the group', async ({
  okta,
}) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'G', members: ['ada'] })
  const path = `/Groups/${okta.idOf('G')}?attributes=members.display`
  const { etag } = await versionOf(okta, path)
  await okta.request('PATCH', `/Users/${okta.idOfPerson('ada')}`, patch({ op: 'replace', path: 'userName', value: 'lovelace' }))
  const again = await okta.request('GET', path, undefined, { headers: { 'if-none-match': etag } })
  expect(again).toMatchObject({ status: 200, body: { members: [{ display: 'lovelace' }] } })
})

test('what others change beside the provider is no reason to refuse its write', async ({ okta, acme }) => {
  await okta.knows('ada')
  await acme.has({ group: 'G', members: ['cyd'] })
  await okta.pushes({ group: 'G', members: ['ada'] })
  const path = `/Groups/${okta.idOf('G')}`
  const { etag } = await versionOf(okta, path)
  await acme.adds('G', ['dan'])
  await acme.protects('G')
  const rename = patch({ op: 'replace', path: 'displayName', value: 'H' })
  expect((await okta.request('PATCH', path, rename, { headers: { 'if-match': etag } })).status).toBe(204)
})

test('a write that changes nothing leaves the version', async ({ okta }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'G', members: ['ada'] })
  const before = await versionOf(okta, `/Groups/${okta.idOf('G')}`)
  expect(await okta.adds('G', ['ada'])).toBe(204)
  expect(await okta.replaces('G', ['ada'])).toBe(204)
  expect(await okta.renames('G', 'G')).toBe(204)
  expect(await versionOf(okta, `/Groups/${okta.idOf('G')}`)).toEqual(before)
})

async function versionOf(
  { request }: { request: (method: string, path: string) => Promise<{ headers: Headers; body: { meta: { version: string } } }> },
  path: string,
) {
  const { headers, body } = await request('GET', path)
  return { etag: headers.get('etag') ?? '', body }
}
