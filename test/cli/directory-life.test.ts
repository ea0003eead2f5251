import { expect } from 'vitest'
import { test } from './command-line.ts'

test('a directory’s life from a shell: observed, put right, live, paused, taken over', { timeout: 60_000 }, async ({
  muster,
  acme,
  connects,
}) => {
  await acme.has({ group: 'Engineering', members: ['asmith', 'bob'] })
  await acme.grants('Engineering', 'hq/wiki/user')
  const okta = await connects('okta', { observing: true })
  await okta.knows('bob')
  await okta.request('POST', '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'alice.smith',
    displayName: 'asmith',
    active: true,
  })
  await okta.pushes({ group: 'Sales', members: ['bob'] })
  await okta.pushes({ group: 'Engineering', members: ['bob'] })
  const report = (await muster('directories observation okta')).stdout
  expect(report).toContain('Nobody’s access changes by it.')
  expect(report).toContain('Groups: 2 pushed. 1 new, 1 conflicting, 0 blocked.')
  expect((await muster('directories matches list okta --match doubtful')).stdout).toContain('alice.smith\t')
  expect((await muster('directories matches link okta alice.smith asmith')).stdout).toBe('alice.smith of okta is asmith.\n')
  expect((await muster('directories go-live okta --yes')).stdout).toContain('finished')
  expect(await acme.membersOf('Sales')).toEqual(['bob'])
  expect((await muster('directories pause okta')).stdout).toContain('okta is paused')
  expect(await okta.adds('Sales', ['bob'])).toBe(503)
  expect((await muster('directories resync okta')).stdout).toContain('judged afresh: nothing became other.')
  const entra = await connects('entra')
  await entra.knows('bob')
  await entra.pushes({ group: 'Sales', members: ['bob'] })
  expect((await muster('directories take-over entra --from okta --dry-run')).stdout).toContain(
    '1 group with the same members is linked',
  )
  expect((await muster('directories take-over entra --from okta --yes')).exitCode).toBe(0)
  expect((await entra.stateOf('Sales')).state).toBe('synced')
  await entra.deletesPerson('bob')
  expect((await muster('people restore bob --yes')).stderr).toContain('Restored: bob.')
  expect((await acme.person('bob')).active).toBe(true)
})
