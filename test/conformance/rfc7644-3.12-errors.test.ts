import { expect, test } from '../support/story.ts'
import { patchOf, sample, urn } from './samples.ts'

test('an error has its schema, the status as text, a sentence, and a keyword where the RFC has one', async ({ client }) => {
  await client.knows('ada', 'bob')
  const path = `/Users/${client.idOfPerson('ada')}`
  const search = (filter: string): [string, string, object] => ['POST', '/Users/.search', { filter }]
  const patch = (operation: object): [string, string, object] => ['PATCH', path, patchOf(operation)]
  const cases: [scimType: string | undefined, status: number, request: [method: string, path: string, body?: unknown]][] = [
    ['invalidFilter', 400, search('userName eq')],
    ['invalidSyntax', 400, ['POST', '/Users', '{']],
    ['invalidPath', 400, patch({ op: 'replace', path: 'nope', value: 'x' })],
    ['noTarget', 400, patch({ op: 'replace', path: 'emails[type eq "other"].value', value: 'x' })],
    ['invalidValue', 400, ['POST', '/Users', {}]],
    ['mutability', 400, patch({ op: 'replace', path: 'id', value: 'x' })],
    ['uniqueness', 409, ['POST', '/Users', { userName: 'ada' }]],
    ['uniqueness', 409, patch({ op: 'replace', path: 'userName', value: 'bob' })],
    ['sensitive', 403, search('password eq "x"')],
    [undefined, 404, ['GET', '/Users/2819c223-7f76-453a-919d-413861904646']],
    [undefined, 413, patch({ op: 'add', path: 'roles', value: Array(2_001).fill({ value: 'x' }) })],
    [undefined, 501, ['GET', '/Me']],
  ]
  for (const [scimType, status, request] of cases) {
    const answer = await client.request(...request)
    expect(answer.body, JSON.stringify(request).slice(0, 80)).toEqual({
      schemas: [urn.error],
      status: String(status),
      detail: expect.any(String),
      ...(scimType === undefined ? {} : { scimType }),
    })
    expect(answer.status).toBe(status)
  }
})

test('the examples: the same members', async ({ client }) => {
  const missing = (await client.request('GET', '/Users/2819c223-7f76-453a-919d-413861904646')).body
  expect(Object.keys(missing).sort()).toEqual(Object.keys(sample('rfc7644-3.12-error-not_found')).sort())
  await client.knows('ada')
  const readOnly = await client.request(
    'PATCH',
    `/Users/${client.idOfPerson('ada')}`,
    patchOf({ op: 'replace', path: 'id', value: 'x' }),
  )
  const example = sample('rfc7644-3.12-error-bad_request')
  expect(readOnly.body).toMatchObject({ schemas: example.schemas, scimType: example.scimType, status: example.status })
})
