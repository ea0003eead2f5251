import { expect, test } from '../support/story.ts'

test('/Me is not offered: 501, whatever is asked', async ({ client }) => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
    expect(await client.request(method, '/Me', method === 'GET' || method === 'DELETE' ? undefined : {}), method).toMatchObject({
      status: 501,
      body: { status: '501' },
    })
})
