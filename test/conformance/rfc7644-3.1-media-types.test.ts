import { expect, test } from '../support/story.ts'
import { sample } from './samples.ts'

test('what is answered is application/scim+json, whatever was sent; application/json for who reads nothing else', async ({
  client,
}) => {
  const typeOf = async (method: string, path: string, headers: Record<string, string> = {}, body?: object) =>
    (await client.request(method, path, body, { headers, token: client.directory.token })).headers.get('content-type')
  const post = sample('rfc7644-3.3-user-post_request')
  expect(await typeOf('POST', '/Users', { 'content-type': 'application/json' }, post)).toBe(
    'application/scim+json; charset=utf-8',
  )
  for (const path of ['/Users', '/Users/x', '/Nowhere', '/Schemas', '/Users?filter=x']) {
    expect(await typeOf('GET', path), path).toBe('application/scim+json; charset=utf-8')
    expect(await typeOf('GET', path, { accept: 'application/json' }), path).toBe('application/json; charset=utf-8')
  }
})

test('a text is UTF-8, kept as it was sent', async ({ client }) => {
  const displayName = 'Gr\u00fc\u00dfe \u65e5\u672c \ud83d\ude42 e\u0301'
  const { body } = await client.request('POST', '/Users', { userName: 'a', displayName })
  expect(body.displayName).toBe(displayName)
})
