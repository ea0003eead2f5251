import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { retryAfterMs, TargetError, TargetUnreachable, targetError } from '../../src/push/target/answer.ts'
import { scimTarget } from '../../src/push/target/scim-target.ts'
import { syncGroupUrn } from '../../src/scim/group-schema.ts'
import { type Fault, startTinyScimService, type TinyScimService, token } from './tiny-scim-service.ts'

const person = { id: 'ada', userName: 'ada', active: true, email: 'ada@example.org', displayName: 'Ada King Lovelace' }

const groupOf = (name: string, ...members: { id: string; userName: string }[]) => ({ name, externalId: null, members })
const nothing = { name: undefined, externalId: null, added: [], removed: [], whole: () => ({ name: '', members: [] }) }
const change = { ...nothing, added: [{ id: 'Users 1', userName: 'ada' }] }

let service: TinyScimService
beforeEach(async () => {
  service = await startTinyScimService()
})
afterEach(() => service.stop())

describe('what is sent is what Okta sends (clients.md)', () => {
  test('create a user', async () => {
    await service.target.createUser(person)
    expect(service.received).toEqual([
      {
        method: 'POST',
        path: '/scim/v2/Users',
        userAgent: 'Okta SCIM Client 1.0.0',
        contentType: 'application/scim+json; charset=utf-8',
        body: {
          schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
          userName: 'ada',
          name: { givenName: 'Ada King', familyName: 'Lovelace' },
          emails: [{ primary: true, value: 'ada@example.org', type: 'work' }],
          displayName: 'Ada King Lovelace',
          locale: 'en-US',
          externalId: 'ada',
          groups: [],
          active: true,
        },
      },
    ])
  })

  test('push a group: its members are in the POST', async () => {
    const { id, isNew } = await service.target.createUser(person)
    await service.target.createGroup(groupOf('Engineering', { id, userName: 'ada' }))
    expect(isNew).toBe(true)
    expect(service.received.at(-1)?.body).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: 'Engineering',
      members: [{ value: id, display: 'ada' }],
    })
  })

  test('membership change: what differs, in one PATCH', async () => {
    const ada = await service.target.createUser(person)
    const { id } = await service.target.createGroup(groupOf('Engineering'))
    await service.target.updateGroup(id, {
      ...nothing,
      name: 'Engineers',
      added: [{ id: ada.id, userName: 'ada' }],
      removed: [{ id: 'Users 2', userName: 'bob' }],
    })
    expect(service.received.at(-1)).toMatchObject({
      method: 'PATCH',
      path: `/scim/v2/Groups/${encodeURIComponent(id)}`,
      body: {
        Operations: [
          { op: 'replace', value: { displayName: 'Engineers' } },
          { op: 'remove', path: 'members[value eq "Users 2"]' },
          { op: 'add', path: 'members', value: [{ value: 'Users 1', display: 'ada' }] },
        ],
      },
    })
  })

  test('test connection and the reading of groups', async () => {
    await service.target.test()
    await service.target.groups()
    expect(service.received.map(({ path }) => path)).toEqual([
      '/scim/v2/Users?startIndex=1&count=2',
      '/scim/v2/ServiceProviderConfig',
      '/scim/v2/Groups?startIndex=1&count=100',
    ])
  })
})

test('what a Muster only offers is not there: nobody has pushed it', async () => {
  const offered = { [syncGroupUrn]: { state: 'offered', reasons: [] } }
  service.groups.push({ id: 'Groups x', displayName: 'Engineering', ...offered })
  expect(await service.target.groups()).toEqual([])
  service.willFail('POST', 'cut before')
  await expect(service.target.createGroup(groupOf('Engineering'))).rejects.toThrow('Engineering exists.')
})

describe('after an unknown outcome it looks before it sends again: never a twin', () => {
  const faults: Fault[] = ['cut after', '500 after', 'cut before', '500 before', '429', '503']
  test.for(faults)('%s', async (fault) => {
    service.willFail('POST', fault)
    const user = await service.target.createUser(person)
    service.willFail('POST', fault)
    const group = await service.target.createGroup(groupOf('Engineering', { id: user.id, userName: 'ada' }))
    expect(service.users.map(({ id }) => id)).toEqual([user.id])
    expect(service.groups.map(({ id, members }) => ({ id, members }))).toEqual([
      { id: group.id, members: [{ value: user.id, display: 'ada' }] },
    ])
  })

  test('again and again', async () => {
    service.willFail('POST', '503', 'cut before', '500 before', 'cut after', 'cut before')
    await service.target.createUser(person)
    expect(service.users).toHaveLength(1)
  })
})

test('what is there already is found by its name', async () => {
  const first = await service.target.createUser(person)
  expect(await service.target.createUser(person)).toEqual({ id: first.id, isNew: false })
})

test('a 400 is not sent again: its text is what the error says', async () => {
  const error = await service.target.updateGroup('nobody', change).catch((caught) => caught)
  expect(error).toBeInstanceOf(TargetError)
  expect(error).toMatchObject({ status: 404, message: 'No such resource.' })
  expect(service.received.map(({ method }) => method)).toEqual(['GET', 'PATCH'])
})

test('it gives up after the last try', async () => {
  service.groups.push({ id: 'Groups 1', displayName: 'Engineering' })
  service.willFail('PATCH', ...Array<Fault>(6).fill('500 before'))
  const error = await service.target.updateGroup('Groups 1', change).catch((caught) => caught)
  expect(error).toMatchObject({ status: 500, message: 'It broke.' })
  expect(service.received.filter(({ method }) => method === 'PATCH')).toHaveLength(6)
})

test('a list is read to its end', async () => {
  for (let i = 0; i < 250; i++) service.groups.push({ id: String(i), displayName: `group ${i}` })
  expect(await service.target.groups()).toHaveLength(250)
})

test('a list whose pages do not add up is not used', async () => {
  for (let i = 0; i < 150; i++) service.groups.push({ id: String(Math.min(i, 120)), displayName: `group ${i}` })
  await expect(service.target.groups()).rejects.toThrow('The target counts 150 under /Groups and shows 121.')
})

test('an address where nobody listens', async () => {
  const { url } = service
  await service.stop()
  const error = await scimTarget({ url, token, maxTries: 1 })
    .users()
    .catch((caught) => caught)
  expect(error).toBeInstanceOf(TargetUnreachable)
  expect(error.message).toBe(`${url} did not answer: ECONNREFUSED.`)
})

test('Retry-After is seconds or a date, at most two minutes', () => {
  const now = Date.parse('2026-11-24T09:00:00Z')
  expect(retryAfterMs('7', now)).toBe(7_000)
  expect(retryAfterMs('Tue, 24 Nov 2026 09:00:10 GMT', now)).toBe(10_000)
  expect(retryAfterMs('86400', now)).toBe(120_000)
  expect(retryAfterMs('Tue, 24 Nov 2026 08:00:00 GMT', now)).toBe(0)
  expect(retryAfterMs('soon', now)).toBeUndefined()
  expect(retryAfterMs(null, now)).toBeUndefined()
})

test('of a foreign answer at most 2 KiB are shown', () => {
  expect(targetError(502, '<html>').message).toBe('The target answered 502: <html>')
  expect(targetError(400, JSON.stringify({ detail: 'x'.repeat(10_000) })).message).toHaveLength(2_048)
})
