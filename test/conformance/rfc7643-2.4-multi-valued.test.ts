import { expect, test } from '../support/story.ts'
import { patchOf, urn } from './samples.ts'

const work = { value: 'work@example.com', type: 'work', primary: true }
const home = { value: 'home@example.com', type: 'home' }

test('"primary" is true at most once: in a POST the first keeps it', async ({ client }) => {
  const { body } = await client.request('POST', '/Users', {
    schemas: [urn.user],
    userName: 'bjensen',
    emails: [work, { ...home, primary: true }],
  })
  expect(body.emails).toEqual([work, { ...home, primary: false }])
})

test('"primary" is true at most once: a PATCH that gives it takes it from the other', async ({ client }) => {
  const { body: user } = await client.request('POST', '/Users', {
    schemas: [urn.user],
    userName: 'bjensen',
    emails: [work, home],
  })
  const after = async (operation: object) => (await client.request('PATCH', `/Users/${user.id}`, patchOf(operation))).body.emails
  const moved = [
    { ...work, primary: false },
    { ...home, primary: true },
  ]
  expect(await after({ op: 'replace', path: 'emails[type eq "home"].primary', value: true })).toEqual(moved)
  const other = { value: 'other@example.com', type: 'other', primary: true }
  expect(await after({ op: 'add', path: 'emails', value: [other] })).toEqual([
    { ...work, primary: false },
    { ...home, primary: false },
    other,
  ])
  expect(await after({ op: 'add', path: 'emails[type eq "work"]', value: { primary: true } })).toEqual([
    work,
    { ...home, primary: false },
    { ...other, primary: false },
  ])
  expect(await after({ op: 'replace', value: { emails: [work, home] } })).toEqual([work, home])
})

test('types that are not canonical are accepted, in any case, and come back as they were given', async ({ client }) => {
  const phoneNumbers = [
    { value: 'tel:+1-201-555-0123', type: 'WORK' },
    { value: '+49 30 1', type: 'satellite' },
  ]
  const { status, body } = await client.request('POST', '/Users', { schemas: [urn.user], userName: 'bjensen', phoneNumbers })
  expect({ status, phones: body.phoneNumbers }).toEqual({ status: 201, phones: phoneNumbers })
})

test('a value of the same type is not doubled', async ({ client }) => {
  const { body: user } = await client.request('POST', '/Users', { schemas: [urn.user], userName: 'bjensen', emails: [work] })
  const { body } = await client.request(
    'PATCH',
    `/Users/${user.id}`,
    patchOf({ op: 'add', path: 'emails', value: [{ ...work, display: 'W' }] }),
  )
  expect(body.emails).toEqual([{ ...work, display: 'W' }])
})
