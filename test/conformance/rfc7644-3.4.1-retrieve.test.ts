import { expect, test } from '../support/story.ts'
import { sample } from './samples.ts'

test('the example: a known resource by its id, with what it has', async ({ client }) => {
  const { id: _id, meta: _meta, ...example } = sample('rfc7644-3.4.1-user-known-resource')
  const { body: made } = await client.request('POST', '/Users', example)
  const { status, headers, body } = await client.request('GET', `/Users/${made.id}`)
  expect({ status, body }).toEqual({ status: 200, body: { ...example, active: true, id: made.id, meta: made.meta } })
  expect([headers.get('location'), headers.get('etag')]).toEqual([made.meta.location, made.meta.version])
})

test('a resource that is not there, never was or is of another kind is a 404', async ({ client }) => {
  await client.knows('ada')
  await client.pushes({ group: 'G' })
  for (const path of [
    `/Users/${client.idOf('G')}`,
    `/Groups/${client.idOfPerson('ada')}`,
    '/Users/ada',
    '/Groups/G',
    '/Users/%20',
  ])
    expect(await client.request('GET', path), path).toMatchObject({ status: 404, body: { status: '404' } })
})
