import { expect, test } from '../support/story.ts'
import { sample, urn } from './samples.ts'

test('204 without a body; afterwards it is nowhere: 404 for every method, in no list, in no group', async ({ client }) => {
  await client.knows('ada', 'bob')
  await client.pushes({ group: 'G', members: ['ada', 'bob'] })
  const path = `/Users/${client.idOfPerson('ada')}`
  expect(await client.request('DELETE', path)).toMatchObject({ status: 204, body: undefined })
  const gone = sample('rfc7644-3.6-error-not_found')
  for (const [method, body] of [
    ['GET'],
    ['PUT', { userName: 'ada' }],
    ['PATCH', { Operations: [{ op: 'add', path: 'title', value: 'x' }] }],
    ['DELETE'],
  ] as const)
    expect(await client.request(method, path, body), method).toMatchObject({
      status: 404,
      body: { schemas: gone.schemas, status: gone.status, detail: expect.any(String) },
    })
  const { body } = await client.request('GET', `/Users?filter=${encodeURIComponent('userName eq "ada"')}`)
  expect(body.totalResults).toBe(0)
  expect(await client.membersOf('G')).toEqual(['bob'])
  expect(await client.request('DELETE', `/Groups/${client.idOf('G')}`)).toMatchObject({ status: 204, body: undefined })
  expect((await client.request('GET', `/Groups/${client.idOf('G')}`)).status).toBe(404)
  for (const query of ['', `?filter=${encodeURIComponent('displayName eq "G"')}`])
    expect((await client.request('GET', `/Groups${query}`)).body, query).toMatchObject({ totalResults: 0, Resources: [] })
})

test('what was deleted is no conflict: the same names are made again', async ({ client }) => {
  await client.knows('ada')
  await client.pushes({ group: 'G' })
  await client.deletesPerson('ada')
  await client.deletes('G')
  expect((await client.request('POST', '/Users', { schemas: [urn.user], userName: 'ada' })).status).toBe(201)
  expect((await client.request('POST', '/Groups', { schemas: [urn.group], displayName: 'H' })).status).toBe(201)
})
