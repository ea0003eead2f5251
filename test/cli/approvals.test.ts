import { expect } from 'vitest'
import { test } from './command-line.ts'

test('a run that takes access from many waits for a second person: exit code 7, and what to type', async ({
  muster,
  acme,
  okta,
  org,
}) => {
  await acme.has({ group: 'Docs', members: ['ada', 'bob'] })
  await acme.grants('Docs', 'site/wiki/write')
  await okta.knows('ada')
  await okta.pushes({ group: 'Docs', members: ['ada'] })
  expect(await muster('organization set --approval-over 0')).toMatchObject({ exitCode: 0 })
  expect(await muster('organization set --approval-over many')).toMatchObject({ exitCode: 64 })
  expect(await muster('organization set')).toMatchObject({ exitCode: 64 })
  const asked = await muster('sync Docs --yes')
  expect(asked.exitCode).toBe(7)
  const listed = JSON.parse((await muster('runs list --state awaiting_approval --json')).stdout)
  expect(listed.items).toHaveLength(1)
  const [{ id }] = listed.items
  expect(asked.stdout + asked.stderr).toContain(`muster runs approve ${id}`)
  expect(await muster(`runs approve ${id}`)).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('You asked for this run'),
  })
  expect(await acme.membersOf('Docs')).toEqual(['ada', 'bob'])
  const env = { MUSTER_TOKEN: await org.token('admin') }
  expect(await muster(`runs approve ${id} --comment "fine by me"`, { env })).toMatchObject({ exitCode: 0 })
  expect(JSON.parse((await muster(`runs watch ${id} --json`)).stdout)).toMatchObject({ state: 'finished', groups: { synced: 1 } })
  expect(await acme.membersOf('Docs')).toEqual(['ada'])
  expect(await muster(`runs withdraw ${id}`)).toMatchObject({ exitCode: 1 })
})
