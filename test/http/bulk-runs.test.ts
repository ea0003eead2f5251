import { expect, test } from 'vitest'
import { nextRun } from '../../src/http/scim/bulk-runs.ts'
import { readBulk } from '../../src/scim/bulk.ts'

const user = (bulkId: string, data = {}) => ({ method: 'POST', path: '/Users', bulkId, data })
const group = (displayName: string, ...members: string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId: displayName,
  data: { displayName, members: members.map((value) => ({ value })) },
})
const patch = (id: string, ...paths: (string | undefined)[]) => ({
  method: 'PATCH',
  path: `/Groups/${id}`,
  data: { Operations: paths.map((path) => ({ op: 'remove', ...(path === undefined ? { value: {} } : { path }) })) },
})

/** The runs in which operations are done: how many each, and of what kind. */
function runsOf(...Operations: unknown[]): [string, number][] {
  const { operations, order } = readBulk({ Operations })
  const runs: [string, number][] = []
  for (let at = 0; at < order.length; ) {
    const { kind, of } = nextRun(operations, order, at, 5)
    runs.push([kind, of.length])
    at += of.length
  }
  return runs
}

test('new users on end are a run, but for those whose manager is one of them', () => {
  expect(runsOf(user('a'), user('b'), user('c', { manager: 'bulkId:a' }), user('d', { manager: 'bulkId:b' }))).toEqual([
    ['new users', 2],
    ['new users', 2],
  ])
})

test('new groups of different names are a run; names are compared as the organization does', () => {
  expect(runsOf(group('A'), group('B'), group(' a'), group('C'))).toEqual([
    ['new groups', 2],
    ['new groups', 2],
  ])
})

test('new groups that name one another are none', () => {
  expect(runsOf(group('A'), group('B', 'bulkId:A'))).toEqual([
    ['new groups', 1],
    ['new groups', 1],
  ])
})

test('members of different groups are a run', () => {
  expect(runsOf(patch('x', 'members'), patch('y', 'members[value eq "u"]', 'Members'), patch('X', 'members'))).toEqual([
    ['members', 2],
    ['members', 1],
  ])
})

test('profiles of different users are a run, but not their names', () => {
  const change = (id: string, ...Operations: unknown[]) => ({ method: 'PATCH', path: `/Users/${id}`, data: { Operations } })
  expect(
    runsOf(
      change('x', { op: 'replace', value: { active: false, 'name.givenName': 'X' } }),
      change('y', { op: 'replace', path: 'emails[type eq "work"].value', value: 'y@example.org' }),
      change('z', { op: 'replace', value: { active: false, username: 'z' } }),
      change('x', { op: 'remove', path: 'title' }),
      change('X', { op: 'remove', path: 'title' }),
      change('y', { op: 'replace', path: 'externalId', value: 'y' }),
      change('y', { op: 'replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User:userName', value: 'y' }),
      change('y', { op: 'replace' }),
    ),
  ).toEqual([
    ['profiles', 2],
    ['other', 1],
    ['profiles', 1],
    ['profiles', 1],
    ['other', 1],
    ['other', 1],
    ['other', 1],
  ])
})

test('what may say more of a group than its members is done by itself, and so is all else', () => {
  const alone = [
    patch('x', 'displayName'),
    patch('x', 'members', 'displayName'),
    patch('x', 'members.value'),
    patch('x', 'urn:ietf:params:scim:schemas:core:2.0:Group:displayName'),
    { method: 'PATCH', path: '/Groups/x', data: { Operations: [{ op: 'replace', value: { displayName: 'y', members: [] } }] } },
    { method: 'PATCH', path: '/Groups/x', data: {} },
    { method: 'DELETE', path: '/Groups/x' },
    { method: 'PUT', path: '/Users/x', data: {} },
    { method: 'GET', path: '/Users/x' },
  ]
  expect(runsOf(...alone)).toEqual(alone.map(() => ['other', 1]))
})

test('a run ends where another kind begins, and is not longer than asked', () => {
  const users = Array.from({ length: 7 }, (_, at) => user(String(at)))
  expect(runsOf(...users, group('A'), patch('x', 'members'))).toEqual([
    ['new users', 5],
    ['new users', 2],
    ['new groups', 1],
    ['members', 1],
  ])
})
