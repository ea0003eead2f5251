import fc from 'fast-check'
import { clientOf } from '../support/clients.ts'
import { runProgram } from '../support/programs.ts'
import { expect, test } from '../support/story.ts'

const error = 'urn:ietf:params:scim:api:messages:2.0:Error'

const word = fc.constantFrom(
  'userName',
  'displayName',
  'emails',
  'emails[type eq "work"].value',
  'members',
  'members[value eq "x"]',
  'name.givenName',
  'active',
  'id',
  'meta',
  'groups',
  'externalId',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager',
  'urn:x:y',
  '',
  '__proto__',
  '[',
  'x509Certificates',
  'roles',
  'password',
  'schemas',
  'meta.created',
  'urn:muster:params:scim:schemas:extension:sync:1.0:Group:reasons',
  'urn:muster:params:scim:schemas:extension:sync:1.0:Group:members.added',
  'nope',
)
const scalar = fc.constantFrom<unknown>(
  'ada',
  '',
  'True',
  true,
  false,
  null,
  0,
  -1,
  1e308,
  'x'.repeat(300),
  '\ud83d\ude42',
  'a\u202eb',
  '%',
  "'; drop table groups; --",
)
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(word, fc.constantFrom('value', 'type', 'primary', '$ref')), tie('any'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).any
const operation = fc.record(
  { op: fc.constantFrom<unknown>('add', 'Remove', 'replace', 'move', null, 1), path: fc.option(word), value },
  { requiredKeys: ['op'] },
)
const resource = fc.dictionary(word, value, { maxKeys: 6, noNullPrototype: true })
const piece = fc.oneof(
  word,
  fc.constantFrom(
    'eq',
    'pr',
    'and',
    'or',
    'not',
    '(',
    ')',
    '"x"',
    'true',
    'null',
    '5',
    'co',
    'gt',
    '"2026-01-01T00:00:00Z"',
    '\\',
    '"',
  ),
)
const query = fc.record(
  {
    filter: fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(' ')),
    sortBy: word,
    startIndex: scalar,
    count: scalar,
    attributes: word,
    excludedAttributes: word,
  },
  { requiredKeys: [] },
)
const bulkOperation = fc.record(
  {
    method: fc.constantFrom<unknown>('POST', 'put', 'PATCH', 'DELETE', 'GET', 1),
    path: fc.constantFrom<unknown>('/Users', '/Groups', '/Users/bulkId:a', '/Groups/nonsense', '/Me', '', null),
    bulkId: fc.constantFrom<unknown>('a', 'b', 1),
    data: fc.oneof(resource, fc.record({ Operations: fc.array(operation, { maxLength: 3 }) }), value),
  },
  { requiredKeys: [] },
)
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
  path: fc.constantFrom(
    '/Users',
    '/Groups',
    '/Users/ID',
    '/Groups/ID',
    '/Users/.search',
    '/Groups/.search',
    '/.search',
    '/Bulk',
    '/Users/nonsense',
    '/Schemas',
    '/Me',
    '/',
  ),
  query,
  body: fc.oneof(
    resource,
    fc.record({ Operations: fc.oneof(fc.array(operation, { maxLength: 4 }), value) }),
    fc.record({ Operations: fc.array(bulkOperation, { maxLength: 4 }), failOnErrors: fc.option(scalar) }),
    query,
    value,
    fc.constantFrom('{', '', '\u0000', '[[['),
  ),
})

/** How many requests; `REQUESTS=100000 npx vitest run test/http/scim-any-request.test.ts` for a long run. */
const requests = Number(process.env.REQUESTS ?? 3_000)

test('whatever is asked, the answer is never a 5xx of ours, and every error is SCIM’s', async ({ okta, database }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'G', members: ['ada'] })
  const ids: Record<string, string> = {
    '/Users/ID': `/Users/${okta.idOfPerson('ada')}`,
    '/Groups/ID': `/Groups/${okta.idOf('G')}`,
  }
  const node = runProgram('test/support/server-process.ts', [JSON.stringify(database.connection)])
  const url = (await node.says(/^listening /)).replace('listening ', '')
  const scim = clientOf(`${url}/scim/v2`, 'application/scim+json', okta.directory.token)
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query: asked, body }) => {
      const search = new URLSearchParams(Object.entries(asked).map(([key, one]) => [key, String(one)]))
      const answer = await scim(
        method,
        `${ids[path] ?? path}?${search}`,
        method === 'GET' || method === 'DELETE' ? undefined : body,
      )
      expect(answer.status === 501 || answer.status < 500, `${answer.status} ${JSON.stringify(answer.body)}`).toBe(true)
      if (answer.status >= 400)
        expect(answer.body).toEqual({
          schemas: [error],
          status: String(answer.status),
          detail: expect.any(String),
          ...('scimType' in answer.body ? { scimType: expect.any(String) } : {}),
        })
    }),
    { numRuns: requests, endOnFailure: true },
  )
}, 600_000)

test('the longest keys that are accepted can be stored', async ({ okta }) => {
  // Random, so that no compression makes them short.
  const long = (count: number) =>
    Array.from({ length: count }, (_, at) => String.fromCodePoint(0x20000 + ((at * 7919) % 40_000))).join('')
  const pushed = await okta.request('POST', '/Users', {
    userName: long(255),
    externalId: long(512),
    emails: [{ value: long(512) }],
  })
  expect(pushed.status).toBe(201)
  expect(
    (await okta.request('POST', '/Groups', { displayName: long(255), externalId: long(512), members: [{ value: long(512) }] }))
      .status,
  ).toBe(201)
  expect((await okta.request('POST', '/Groups', { displayName: 'G', externalId: long(513) })).status).toBe(400)
})

test('parallel PATCHes of one member each lose none', async ({ okta, acme }) => {
  const names = Array.from({ length: 60 }, (_, at) => `p${at}`)
  await okta.knows(...names)
  await okta.pushes({ group: 'G' })
  const statuses = await Promise.all(names.map((name) => okta.adds('G', [name])))
  expect(new Set(statuses)).toEqual(new Set([204]))
  expect(await okta.membersOf('G')).toEqual([...names].sort())
  expect(await acme.membersOf('G')).toEqual([...names].sort())
  const gone = await Promise.all(names.slice(0, 30).map((name) => okta.removes('G', [name])))
  expect(new Set(gone)).toEqual(new Set([204]))
  expect(await okta.membersOf('G')).toEqual(names.slice(30).sort())
})
