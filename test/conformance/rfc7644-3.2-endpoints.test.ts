import { expect, test } from '../support/story.ts'

test('each endpoint offers the methods of table 2, and refuses the others with 405 and what it takes', async ({ client }) => {
  await client.knows('ada')
  await client.pushes({ group: 'G' })
  const [user, group] = [`/Users/${client.idOfPerson('ada')}`, `/Groups/${client.idOf('G')}`]
  const offered: Record<string, string[]> = {
    '/Users': ['GET', 'POST'],
    '/Groups': ['GET', 'POST'],
    [user]: ['GET', 'PUT', 'PATCH', 'DELETE'],
    [group]: ['GET', 'PUT', 'PATCH', 'DELETE'],
    '/ServiceProviderConfig': ['GET'],
    '/ResourceTypes': ['GET'],
    '/ResourceTypes/User': ['GET'],
    '/Schemas': ['GET'],
    '/Bulk': ['POST'],
    '/.search': ['POST'],
    '/Users/.search': ['POST'],
    '/Groups/.search': ['POST'],
  }
  for (const [path, methods] of Object.entries(offered))
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      if (methods.includes(method)) continue
      const answer = await client.request(method, path, method === 'GET' || method === 'DELETE' ? undefined : {})
      expect(answer, `${method} ${path}`).toMatchObject({ status: 405, body: { status: '405' } })
      for (const offer of methods) expect(answer.headers.get('allow'), path).toContain(offer)
    }
  expect((await client.request('GET', `/${crypto.randomUUID()}`)).status).toBe(404)
})
