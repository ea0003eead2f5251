import { connect as openSocket } from 'node:net'
import { newId } from '../../src/database/ids.ts'
import { expect, test } from '../support/world.ts'

const security = {
  'content-security-policy': "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

test('every answer has the security headers and a request id, errors included', async ({ api, org, scim, server }) => {
  const { token } = await org.directory()
  const answers = [
    await api('GET', `${server.url}/livez`),
    await api('GET', `${server.url}/assets/nowhere`),
    await api('GET', `${server.url}/%zz`),
    await api('GET', '/directories'),
    await api('GET', '/directories', undefined, { token: 'wrong' }),
    await api('GET', '/directories/none'),
    await api('POST', '/directories', '{'),
    await api('POST', '/directories', {}),
    await scim('GET', '/Nowhere', undefined, { token }),
    await scim('GET', '/Users'),
  ]
  expect(answers.map((answer) => answer.status)).toEqual([200, 404, 400, 200, 401, 404, 400, 400, 404, 401])
  for (const { headers } of answers) {
    for (const [name, value] of Object.entries(security)) expect(headers.get(name), name).toBe(value)
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('strict-transport-security')).toBeNull()
  }
  for (const { headers } of answers.slice(3)) expect(headers.get('cache-control')).toBe('no-store')
})

test('what is no HTTP is answered with the same headers', async ({ server }) => {
  const { hostname, port } = new URL(server.url)
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = openSocket(Number(port), hostname, () => socket.write('HELO example.org\r\n\r\n'))
    let text = ''
    socket
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        text += chunk
      })
      .on('end', () => resolve(text))
      .on('error', reject)
  })
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  for (const [name, value] of Object.entries(security)) expect(answer).toContain(`${name}: ${value}\r\n`)
  expect(answer).toContain('urn:muster:problem:invalid_request')
})

const raw = (url: string, text: string) =>
  new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = openSocket(Number(port), hostname, () => socket.write(text))
    let answer = ''
    socket
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        answer += chunk
      })
      .on('end', () => resolve(answer))
      .on('error', reject)
  })

test('a broken request below /scim is a SCIM error', async ({ server }) => {
  const scimError = /^HTTP\/1\.1 4\d\d .*content-type: application\/scim\+json.*urn:ietf:params:scim:api:messages:2\.0:Error/s
  expect(await raw(server.url, `GET /scim/v2/Users HTTP/1.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(scimError)
  expect(await raw(server.url, 'NOPE /scim/v2/Users HTTP/1.1\r\n\r\n')).toMatch(scimError)
  expect(await raw(server.url, 'GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n')).toMatch(scimError)
})

test('a path that is written otherwise is answered by the same protocol', async ({ server, scim, org }) => {
  const { token } = await org.directory()
  for (const path of ['//scim//v2/Users/nope', '/%73cim/v2/Users/nope', '/scim/v2/nope', '/scim/v2/%zz', '/scim']) {
    const answer = await scim('GET', server.url + path, undefined, { token })
    expect(answer.headers.get('content-type'), path).toBe('application/scim+json; charset=utf-8')
    expect(answer.headers.get('cache-control'), path).toBe('no-store')
  }
  expect((await scim('POST', `${server.url}/scimitar`, {})).headers.get('content-type')).toMatch(/problem\+json/)
})

test('an expectation that nobody knows is ignored', async ({ server }) => {
  const answer = await raw(server.url, 'GET /livez HTTP/1.1\r\nhost: x\r\nexpect: nope\r\nconnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})

test('one 401 for all causes, an unknown path included', async ({ api, org, scim }) => {
  const { token: scimToken } = await org.directory()
  const mistyped = `${org.adminToken.slice(0, -8)}AAAAAAAA`
  const given: Record<string, string>[] = [
    {},
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: 'Basic YTpi' },
    { authorization: `Bearer ${mistyped}` },
    { authorization: `Bearer ${scimToken}` },
    { authorization: `Bearer ${scimToken} x` },
  ]
  const bodies = new Set<string>()
  for (const path of ['/directories', '/nowhere']) {
    for (const headers of given) {
      const answer = await api('GET', path, undefined, { token: undefined, headers: { authorization: '', ...headers } })
      expect(answer.status, JSON.stringify(headers)).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
      bodies.add(JSON.stringify(answer.body))
    }
  }
  expect([...bodies]).toHaveLength(1)
  const onScim = await scim('GET', '/Users', undefined, { token: org.adminToken })
  expect(onScim).toMatchObject({ status: 401, body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '401' } })
  expect(onScim.headers.get('www-authenticate')).toBe('Bearer')
  expect((await scim('GET', '/Nowhere', undefined, { token: 'x' })).body).toEqual(onScim.body)
})

test('a foreign id and a missing one are the same 404, byte for byte', async ({ api, db, org, second }) => {
  const foreign = (await db.pool.query(
    `select set_config('muster.org_id', '${second.orgId}', true); select id, (select id from api_tokens) as token, (select id from directory_tokens) as scim from directories`,
  )) as unknown as { rows: { id: string; token: string; scim: string }[] }[]
  const theirs = foreign[1]?.rows[0]
  if (!theirs) throw new Error('The second organization has a directory.')
  await org.directory()
  const paths: ((id: { id: string; token: string; scim: string }) => [string, string, unknown?])[] = [
    ({ id }) => ['GET', `/directories/${id}`],
    ({ id }) => ['PATCH', `/directories/${id}`, { quietSeconds: 1 }],
    ({ id }) => ['GET', `/directories/${id}/tokens`],
    ({ id }) => ['POST', `/directories/${id}/tokens`],
    ({ id }) => ['GET', `/directories/${id}/provisioned-groups`],
    ({ id }) => ['GET', `/directories/${id}/provisioned-users`],
    ({ token }) => ['DELETE', `/api-tokens/${token}`],
    ({ scim }) => ['DELETE', `/directories/okta/tokens/${scim}`],
  ]
  for (const path of paths) {
    const answerTo = async (ids: { id: string; token: string; scim: string }) => {
      const answer = await api(...path(ids))
      const headers = [...answer.headers].filter(([name]) => !['date', 'x-request-id'].includes(name))
      return { status: answer.status, headers, body: JSON.stringify(answer.body) }
    }
    const missing = await answerTo({ id: newId(), token: newId(), scim: newId() })
    expect(missing.status).toBe(404)
    expect(await answerTo(theirs)).toEqual(missing)
    expect(await answerTo({ id: 'no-such', token: 'no-such', scim: 'no-such' })).toEqual(missing)
  }
})

test('two content types are read, in any case, in UTF-8; every other is a 415', async ({ api }) => {
  let count = 0
  const sendAs = async (type: string, more: Record<string, string> = {}) =>
    (
      await api(
        'POST',
        '/directories',
        { name: `directory ${++count}`, provider: 'other' },
        { headers: { 'content-type': type, ...more } },
      )
    ).status
  for (const type of [
    'application/json',
    'APPLICATION/JSON',
    'application/scim+json',
    'application/SCIM+json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ]) {
    expect(await sendAs(type), type).toBe(201)
  }
  for (const type of [
    'text/plain',
    'application/jsonp',
    'application/json; charset=iso-8859-1',
    'application/x-www-form-urlencoded',
    'text/json',
    'application/problem+json',
  ]) {
    expect(await sendAs(type), type).toBe(415)
  }
  expect(await sendAs('application/json', { 'content-encoding': 'gzip' })).toBe(415)
})

test('a body is at most 1 MiB', async ({ api }) => {
  const answer = await api('POST', '/directories', { name: 'x', provider: 'other', pad: 'x'.repeat(1024 * 1024) })
  expect(answer).toMatchObject({ status: 413, body: { type: 'urn:muster:problem:body_too_large' } })
})

test('JSON that can be read in two ways is refused', async ({ api }) => {
  const bodies = [
    '{"name":"a","name":"b","provider":"okta"}',
    '{"name":"a","provider":"okta","__proto__":{"x":1}}',
    `${'['.repeat(33)}${']'.repeat(33)}`,
    '{"name":"\\ud800","provider":"okta"}',
    '{"name":"a\\u0000","provider":"okta"}',
    '{"name":"a"',
    'null',
    '""',
  ]
  for (const body of bodies) {
    const answer = await api('POST', '/directories', body)
    expect(answer.status, body.slice(0, 60)).toBe(400)
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  }
})

test('live and ready are told without a token', async ({ api, server }) => {
  expect(await api('GET', `${server.url}/livez`, undefined, { token: undefined })).toMatchObject({
    status: 200,
    body: { status: 'live' },
  })
  expect(await api('GET', `${server.url}/readyz`, undefined, { token: undefined })).toMatchObject({
    status: 200,
    body: { status: 'ready' },
  })
})

test('each protocol has its own errors, outside of its routes too', async ({ api, server }) => {
  const type = async (path: string) =>
    (await api('GET', `${server.url}${path}`, undefined, { token: undefined })).headers.get('content-type')
  for (const path of ['/scim', '/scim/v1/Users', '/scim/v2', '/scim/v2/%zz'])
    expect(await type(path), path).toBe('application/scim+json; charset=utf-8')
  for (const path of ['/api', '/api/v1', '/api/v2/groups', '/assets/elsewhere'])
    expect(await type(path), path).toBe('application/problem+json; charset=utf-8')
})

test('a DELETE that names a content type and has no body is a DELETE', async ({ api, org }) => {
  const { id } = await org.directory()
  const revoke = async (headers: Record<string, string>) => {
    const { body } = await api('GET', `/directories/${id}/tokens`)
    await api('POST', `/directories/${id}/tokens`)
    return (await api('DELETE', `/directories/${id}/tokens/${body.items[0].id}`, undefined, { headers })).status
  }
  expect(await revoke({ 'content-type': 'application/scim+json' })).toBe(204)
  expect(await revoke({ 'content-type': 'application/json; charset=utf-8' })).toBe(204)
})

test('HEAD answers as GET does, without the body', async ({ api, org }) => {
  const answer = await api('HEAD', '/directories', undefined, { token: await org.token('auditor') })
  expect([answer.status, answer.body]).toEqual([200, undefined])
})
