import { expect, test } from '../support/story.ts'
import { patchOf, sample, urn } from './samples.ts'

const full = sample('rfc7643-8.3-enterprise_user')
const { manager, ...plain } = full[urn.enterprise]
const withManager = (value: string) => ({ ...full, [urn.enterprise]: { ...plain, manager: { value } } })

test('every attribute of the example (§8.3) is kept; of a manager who was not pushed, what was given', async ({ client }) => {
  const { status, body } = await client.request('POST', '/Users', full)
  expect(status).toBe(201)
  expect(body.schemas).toEqual([urn.user, urn.enterprise])
  // displayName is the server's to say.
  expect(body[urn.enterprise]).toEqual({ ...plain, manager: { value: manager.value, $ref: manager.$ref } })
})

test('of a manager whom the directory has pushed, name and URI are the server’s, and follow', async ({ client }) => {
  const boss = (await client.request('POST', '/Users', { schemas: [urn.user], userName: 'boss', displayName: 'John Smith' })).body
  const { body } = await client.request('POST', '/Users', withManager(boss.id))
  const managerOf = async () => (await client.request('GET', `/Users/${body.id}`)).body[urn.enterprise].manager
  const shown = { value: boss.id, $ref: boss.meta.location, displayName: 'John Smith' }
  expect(body[urn.enterprise].manager).toEqual(shown)
  expect(await managerOf()).toEqual(shown)
  await client.request('PATCH', `/Users/${boss.id}`, patchOf({ op: 'replace', path: 'displayName', value: 'Jack Smith' }))
  expect(await managerOf()).toEqual({ ...shown, displayName: 'Jack Smith' })
  await client.request('PATCH', `/Users/${boss.id}`, patchOf({ op: 'remove', path: 'displayName' }))
  expect(await managerOf()).toEqual({ value: boss.id, $ref: boss.meta.location })
  await client.request('DELETE', `/Users/${boss.id}`)
  expect(await managerOf()).toEqual({ value: boss.id })
})

test('the manager’s name is found and sorted by, and nobody else may write it', async ({ client }) => {
  for (const [userName, displayName] of [
    ['b1', 'Zoe'],
    ['b2', 'Amy'],
  ]) {
    const boss = await client.request('POST', '/Users', { schemas: [urn.user], userName, displayName })
    await client.request('POST', '/Users', { ...withManager(boss.body.id), userName: `of ${displayName}` })
  }
  const names = async (query: string) =>
    (await client.request('GET', `/Users?${query}`)).body.Resources.map((one: { userName: string }) => one.userName)
  const path = `${urn.enterprise}:manager.displayName`
  expect(await names(`filter=${encodeURIComponent(`${path} eq "AMY"`)}`)).toEqual(['of Amy'])
  expect(await names(`sortBy=${path}&filter=${encodeURIComponent(`${path} pr`)}`)).toEqual(['of Amy', 'of Zoe'])
  const { body } = await client.request('POST', '/Users', { schemas: [urn.user], userName: 'x' })
  expect(await client.request('PATCH', `/Users/${body.id}`, patchOf({ op: 'add', path, value: 'x' }))).toMatchObject({
    status: 400,
    body: { scimType: 'mutability' },
  })
})

test('a user of another directory is nobody’s manager here', async ({ client, entra }) => {
  await entra.knows('boss')
  const { body } = await client.request('POST', '/Users', withManager(entra.idOfPerson('boss')))
  expect(body[urn.enterprise].manager).toEqual({ value: entra.idOfPerson('boss') })
})

test('an extension that is taken away takes its URN from the schemas', async ({ client }) => {
  const { body } = await client.request('POST', '/Users', full)
  const patched = await client.request('PATCH', `/Users/${body.id}`, patchOf({ op: 'remove', path: urn.enterprise }))
  expect(patched.body).not.toHaveProperty([urn.enterprise])
  expect(patched.body.schemas).toEqual([urn.user])
})
