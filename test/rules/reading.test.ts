import { connect as openSocket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { buildApp } from '../../src/http/app.ts'
import { freePort } from '../support/server.ts'
import { expect, test } from '../support/story.ts'

// Rules 19 to 24 of docs/specification/rules.md, as they touch SCIM.

const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const error = 'urn:ietf:params:scim:api:messages:2.0:Error'
const patchOf = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const MiB = 1024 * 1024

/** What the server answers to a request that is written by hand, until it ends the connection or has answered. */
function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = openSocket(Number(port), hostname, () => socket.write(text))
    let answer = ''
    socket
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        answer += chunk
        const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? Number.NaN)
        if (answer.length - (answer.indexOf('\r\n\r\n') + 4) >= length) socket.destroy()
      })
      .on('close', () => resolve(answer))
      .on('error', reject)
  })
}

const headOf = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`

test('rule 19: a user is 1 MiB at most, a group 32 MiB', async ({ client }) => {
  const padded = (bytes: number) =>
    `${JSON.stringify({ schemas: [user], userName: 'a', displayName: 'a' }).slice(0, -1)}${' '.repeat(bytes)}}`
  expect((await client.request('POST', '/Users', padded(MiB - 200))).status).toBe(201)
  for (const [method, path] of [
    ['POST', '/Users'],
    ['PUT', '/Users/x'],
    ['PATCH', '/Users/x'],
    ['POST', '/Users/.search'],
    ['POST', '/.search'],
  ] as const) {
    const answer = await client.request(method, path, padded(MiB))
    expect(answer, `${method} ${path}`).toMatchObject({ status: 413, body: { schemas: [error], status: '413' } })
  }
  expect((await client.request('POST', '/Groups', padded(3 * MiB))).status).toBe(201)
  expect((await client.request('POST', '/Groups', padded(32 * MiB))).status).toBe(413)
})

test('rule 19: a compressed body is a 415 before any of it is read', async ({ client, server }) => {
  const bomb = gzipSync(Buffer.alloc(20 * MiB, ' '))
  for (const encoding of ['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip', 'x']) {
    const headers = {
      authorization: `Bearer ${client.directory.token}`,
      'content-type': 'application/scim+json',
      'content-encoding': encoding,
    }
    const sent = await fetch(`${server.url}/scim/v2/Users`, { method: 'POST', headers, body: bomb })
    expect([sent.status, await sent.json()], encoding).toEqual([415, expect.objectContaining({ status: '415' })])
  }
  // Its body never comes, and the answer is there.
  const head = headOf(
    'POST /scim/v2/Groups HTTP/1.1',
    'host: x',
    `authorization: Bearer ${client.directory.token}`,
    'content-type: application/scim+json',
    'content-encoding: gzip',
    `content-length: ${30 * MiB}`,
  )
  const answer = await raw(server.url, head)
  expect(answer).toMatch(/^HTTP\/1\.1 415 .*"status":"415"/s)
})

test('rule 20: two content types, in any case, in UTF-8; every other is a 415, and nothing is made', async ({ client }) => {
  let count = 0
  const send = async (type: string) =>
    (await client.request('POST', '/Users', { schemas: [user], userName: `u${++count}` }, { headers: { 'content-type': type } }))
      .status
  for (const type of [
    'application/scim+json',
    'APPLICATION/JSON',
    'application/scim+json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ])
    expect(await send(type), type).toBe(201)
  for (const type of [
    'text/plain',
    'application/xml',
    'application/scim+json; charset=iso-8859-1',
    'application/jsonp',
    'multipart/form-data',
    '',
  ])
    expect(await send(type), type).toBe(415)
  expect((await client.request('GET', '/Users')).body.totalResults).toBe(4)
})

test('rule 21: JSON that can be read in two ways, or is no text, is a 400, and nothing is made', async ({ client }) => {
  const bodies = [
    '{"userName":"a","userName":"b"}',
    '{"userName":"a","\\u0075serName":"b"}',
    '{"userName":"a","__proto__":{"x":1}}',
    '{"userName":"a","name":{"constructor":{"x":1}}}',
    '{"userName":"a\\ud800"}',
    '{"userName":"a\\u0000"}',
    `{"userName":"a","x":${'['.repeat(32)}${']'.repeat(32)}}`,
    '{"userName":"a"',
    '{"userName":"a"}x',
    '[]',
    'null',
    '"a"',
    '',
  ]
  for (const body of bodies) {
    const answer = await client.request('POST', '/Users', body)
    expect(answer, body.slice(0, 60)).toMatchObject({ status: 400, body: { schemas: [error], scimType: 'invalidSyntax' } })
  }
  expect((await client.request('GET', '/Users')).body.totalResults).toBe(0)
})

test('rule 21: names have 255 characters after normalization, nothing hidden in them; one that looks alike is its own name', async ({
  client,
}) => {
  const make = async (path: string, body: object) => (await client.request('POST', path, body)).status
  for (const name of ['a\u202eb', 'a\u200bb', 'a\u0007b', '\ufeffa', 'a\u2066b', ' ', 'x'.repeat(256), '\ufdfa'.repeat(15)]) {
    expect(await make('/Groups', { schemas: [group], displayName: name }), JSON.stringify(name)).toBe(400)
    expect(await make('/Users', { schemas: [user], userName: name }), JSON.stringify(name)).toBe(400)
  }
  // Latin and Cyrillic: warned of in the review, never taken for one another.
  expect([await make('/Groups', { displayName: 'Admin' }), await make('/Groups', { displayName: '\u0410dmin' })]).toEqual([
    201, 201,
  ])
})

test('rule 22: what a filter or a path may cost is looked at before it is read; what it may ask comes from the schema', async ({
  client,
}) => {
  await client.knows('ada', '100%', 'a_b', 'a\\b')
  const find = async (filter: string) => {
    const { status, body } = await client.request('POST', '/Users/.search', { filter })
    return status === 200 ? body.Resources.map((one: { userName: string }) => one.userName).sort() : body.scimType
  }
  for (const filter of [
    `userName eq "${'x'.repeat(8_200)}"`,
    `${'('.repeat(21)}userName pr${')'.repeat(21)}`,
    Array(201).fill('userName pr').join(' or '),
    'nope eq "x"',
    'userName.nope eq "x"',
    '__proto__ pr',
    'userName eq',
    "userName eq 'ada'",
    'userName eq "ada" or',
  ])
    expect(await find(filter), filter.slice(0, 40)).toBe('invalidFilter')
  expect(await find(`${'('.repeat(20)}userName eq "ada"${')'.repeat(20)}`)).toEqual(['ada'])
  expect(await find(Array(200).fill('userName eq "ada"').join(' or '))).toEqual(['ada'])
  expect(await find('userName co "%"')).toEqual(['100%'])
  expect(await find('userName co "_"')).toEqual(['a_b'])
  expect(await find('userName co "\\\\"')).toEqual(['a\\b'])
  expect(await find('userName eq "\'; drop table groups; --"')).toEqual([])
  expect((await client.request('GET', '/Users?count=5000')).body.itemsPerPage).toBe(4)
  expect((await client.request('GET', '/ServiceProviderConfig')).body.filter).toEqual({ supported: true, maxResults: 1_000 })
})

test('rule 22: members of 150,000 in one request, one more is a 413', async ({ client }) => {
  await client.pushes({ group: 'G' })
  const path = `/Groups/${client.idOf('G')}`
  const members = (count: number) => Array.from({ length: count }, () => ({ value: 'x' }))
  const patch = (count: number) =>
    client.request('PATCH', path, patchOf({ op: 'remove', path: 'members', value: members(count) }))
  expect((await patch(150_000)).status).toBe(204)
  expect((await patch(150_001)).status).toBe(413)
  expect((await client.request('PUT', path, { displayName: 'G', members: members(150_001) })).status).toBe(413)
})

test('rules 22 and 24: parameters that are given twice, thousands of names, a URL or a header without end', async ({
  client,
  server,
}) => {
  await client.knows('ada')
  const get = (query: string) => client.request('GET', `/Users?${query}`)
  for (const [query, scimType] of [
    ['filter=userName%20pr&filter=id%20pr', 'invalidFilter'],
    ['startIndex=1&startIndex=2', 'invalidValue'],
    ['count=1&count=2', 'invalidValue'],
    ['sortBy=userName&sortBy=id', 'invalidValue'],
    ['attributes=userName&excludedAttributes=id', 'invalidValue'],
    [`attributes=${Array(201).fill('userName').join()}`, 'invalidValue'],
  ])
    expect(await get(query ?? ''), query?.slice(0, 40)).toMatchObject({ status: 400, body: { scimType } })
  expect((await get('attributes=userName&attributes=id')).body.Resources).toEqual([
    { schemas: [user], id: client.idOfPerson('ada'), userName: 'ada' },
  ])
  expect(await client.request('POST', '/Users/.search', { attributes: Array(5_000).fill('userName') })).toMatchObject({
    status: 400,
    body: { scimType: 'invalidValue' },
  })
  for (const [url, header] of [
    [`/scim/v2/Users?filter=${'x'.repeat(20_000)}`, 'a'],
    ['/scim/v2/Users', 'x'.repeat(20_000)],
  ]) {
    const answer = await raw(server.url, headOf(`GET ${url} HTTP/1.1`, 'host: x', `x-long: ${header}`))
    expect(answer).toMatch(/^HTTP\/1\.1 431 .*"status":"431"/s)
  }
})

test('rule 24: no statement, lock, wait for a connection or idle transaction goes on for ever', async ({ db }) => {
  const setting = async (name: string) => (await db.pool.query<Record<string, string>>(`show ${name}`)).rows[0]?.[name]
  expect([await setting('statement_timeout'), await setting('lock_timeout')]).toEqual(['30s', '5s'])
  expect(await setting('idle_in_transaction_session_timeout')).toBe('15s')
  expect(db.pool.options.connectionTimeoutMillis).toBe(5_000)
})

test('rule 24: headers or a body that trickle in are cut off, with an error of the protocol', async ({ db, org }) => {
  const { token } = await org.directory()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const app = await buildApp({
    db,
    publicUrl: url,
    jobs: { send: () => Promise.reject(new Error('no jobs here')) },
    version: '0',
  })
  // Shorter than the 15 s and 60 s of everyday; the server looks every 5 s.
  Object.assign(app.server, { headersTimeout: 100, requestTimeout: 200 })
  await app.listen({ host: '127.0.0.1', port })
  try {
    const head = [
      'POST /scim/v2/Groups HTTP/1.1',
      'host: x',
      `authorization: Bearer ${token}`,
      'content-type: application/scim+json',
    ]
    const [slowBody, slowHead] = await Promise.all([
      raw(url, `${headOf(...head, 'content-length: 100')}{`),
      raw(url, 'POST /scim/v2/Groups HTTP/1.1\r\nhost: x\r\nx-more:'),
    ])
    expect(slowBody).toMatch(/^HTTP\/1\.1 408 .*"urn:ietf:params:scim:api:messages:2.0:Error".*"status":"408"/s)
    expect(slowHead).toMatch(/^HTTP\/1\.1 408 /)
  } finally {
    await app.close()
  }
})
