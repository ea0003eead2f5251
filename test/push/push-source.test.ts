import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ApplyOptions, PushProgress } from '../../src/push/apply-plan.ts'
import { pushSource } from '../../src/push/push-source.ts'
import type { Source } from '../../src/push/source.ts'
import { type ScimTarget, scimTarget } from '../../src/push/target/scim-target.ts'
import { startTinyScimService, type TinyScimService } from './tiny-scim-service.ts'

const person = (userName: string) => ({
  id: userName,
  active: true,
  userName,
  email: `${userName}@example.org`,
  displayName: userName,
})
const push = (source: Source, target: ScimTarget, options: ApplyOptions = {}) =>
  pushSource({ kind: 'folder', place: 'here', source }, target, options)
const source: Source = {
  users: [person('ada'), person('bob'), person('cyd')],
  groups: [
    { id: null, name: 'Engineering', description: null, members: ['ada', 'bob'] },
    { id: null, name: 'kubernetes/sig-docs', description: 'Docs', members: [] },
  ],
}
const membersIn = (group: TinyScimService['groups'][number] | undefined) =>
  ((group?.members ?? []) as { display: string }[]).map(({ display }) => display)

let service: TinyScimService
beforeEach(async () => {
  service = await startTinyScimService()
})
afterEach(() => service.stop())

test('a first push sends a request a user and a group', async () => {
  const result = await push(source, service.target)
  expect(result).toMatchObject({
    users: { created: 3, updated: 0, linked: 0, failed: 0 },
    groups: { created: 2, updated: 0, unchanged: 0, failed: 0 },
    errors: [],
  })
  expect(membersIn(service.groups.find(({ displayName }) => displayName === 'Engineering'))).toEqual(['ada', 'bob'])
  expect(service.received.filter(({ method }) => method !== 'GET')).toHaveLength(5)
  expect(result.requests).toBe(service.received.length)
})

test('a second push of the same source writes nothing', async () => {
  await push(source, service.target)
  const before = service.received.length
  expect(await push(source, service.target)).toMatchObject({
    users: { linked: 3, created: 0, updated: 0 },
    groups: { unchanged: 2, created: 0, updated: 0 },
  })
  expect(service.received.slice(before).map(({ method }) => method)).toEqual(['GET', 'GET'])
})

test('a person whose user name is written otherwise is the same person, as the organization compares names', async () => {
  const users = (userName: string) => ({ users: [{ ...person('ada'), id: userName, userName }], groups: [] })
  await push(users('STRASSE'), service.target)
  expect(await push(users('straße'), service.target)).toMatchObject({ users: { linked: 1, created: 0 }, errors: [] })
  expect(service.users).toHaveLength(1)
})

test('only differences are sent', async () => {
  await push(source, service.target)
  const before = service.received.length
  const changed = {
    users: [{ ...person('ada'), displayName: 'Ada Lovelace' }, person('bob'), person('cyd'), person('dan')],
    groups: [
      { id: null, name: 'engineering ', description: null, members: ['bob', 'cyd'] },
      { id: null, name: 'kubernetes/sig-docs', description: null, members: [] },
    ],
  }
  expect(await push(changed, service.target)).toMatchObject({
    users: { created: 1, updated: 1, linked: 2 },
    groups: { updated: 1, unchanged: 1 },
  })
  expect(
    service.received
      .slice(before)
      .map(({ method }) => method)
      .filter((method) => method !== 'GET')
      .sort(),
  ).toEqual(['PATCH', 'POST', 'PUT'])
  expect(membersIn(service.groups[0])).toEqual(['bob', 'cyd'])
})

test('a group whose member could not be pushed is not sent without them', async () => {
  service.willFail('POST', ...Array<'500 before'>(6).fill('500 before'))
  const result = await push(
    { users: [person('ada')], groups: [{ id: null, name: 'Engineering', description: null, members: ['ada'] }] },
    service.target,
    { atOnce: 1 },
  )
  expect(result).toMatchObject({ users: { failed: 1 }, groups: { failed: 1 } })
  expect(result.errors).toEqual([
    { what: 'user', name: 'ada', why: 'It broke.' },
    { what: 'group', name: 'Engineering', why: 'Its member ada could not be pushed.' },
  ])
  expect(service.groups).toEqual([])
})

test('a wrong token ends the push at the first request', async () => {
  await expect(push(source, scimTarget({ url: service.url, token: 'a wrong one' }))).rejects.toMatchObject({
    status: 401,
    message: 'A wrong token.',
  })
  expect(service.received.length).toBeLessThanOrEqual(2)
})

test('progress is told for each user and each group', async () => {
  const told: PushProgress[] = []
  await push(source, service.target, { onProgress: (progress) => told.push(progress) })
  expect(told.map(({ stage, done, total }) => `${stage} ${done}/${total}`)).toEqual([
    'users 0/3',
    'users 1/3',
    'users 2/3',
    'users 3/3',
    'groups 0/2',
    'groups 1/2',
    'groups 2/2',
  ])
})
