import { expect } from 'vitest'
import { test } from './command-line.ts'

test('a group is deleted and restored: shown first, and asked where access is at stake', async ({ muster, acme }) => {
  await acme.has({ group: 'sig docs', members: ['ada', 'bob'] })
  await acme.grants('sig docs', 'kubernetes/website/admin')
  const shown = 'Deleting "sig docs", with 2 members, takes 2 accesses from 2 people. 2 people would be left with no access.\n'
  const lost = '  2 people lose kubernetes/website:admin: nobody else has it\n'
  expect((await muster('groups delete "sig docs" --dry-run')).stdout).toBe(shown + lost)
  expect(await muster('groups delete "sig docs"')).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('Add --yes') })
  expect(await muster('groups delete "sig docs" --yes')).toMatchObject({
    exitCode: 0,
    stderr: 'Deleted, with 2 members. Until 30 days from now: muster groups restore "sig docs"\n',
  })
  expect((await muster('groups show "sig docs"')).exitCode).toBe(1)
  expect((await muster('groups deleted')).stdout).toMatch(/^sig docs\t2\t1\t\S+\ttoken:tests owner\t\S+\t\n$/)
  expect((await muster('groups restore "sig docs" --dry-run')).stdout).toBe(
    'Restoring "sig docs", with 2 members, gives 2 people 2 accesses.\n  2 people gain kubernetes/website:admin\n',
  )
  expect((await muster('groups restore "sig docs"')).exitCode).toBe(6)
  expect(await muster('groups restore "sig docs" --yes --name sig-docs')).toMatchObject({
    exitCode: 0,
    stderr: 'Restored: sig-docs, 2 members, managed by nobody.\n',
  })
  expect(await acme.membersOf('sig-docs')).toEqual(['ada', 'bob'])
  expect(await muster('groups restore nothing')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('for 30 days') })
})

test('what is deleted for good cannot be restored', async ({ muster, acme }) => {
  await acme.has({ group: 'wheel', members: ['ada'] })
  expect((await muster('groups delete wheel')).exitCode).toBe(0)
  expect((await muster('groups delete wheel --for-good')).exitCode).toBe(6)
  expect(await muster('groups delete wheel --for-good --yes')).toMatchObject({ exitCode: 0, stderr: 'Deleted for good.\n' })
  expect(await muster('groups deleted')).toMatchObject({ stdout: '', stderr: 'No deleted group can be restored.\n' })
})

test('a directory is disconnected: what stays, what goes, and then it is gone', async ({ muster, acme, okta }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Crew', members: ['ada', 'nobody'] })
  expect((await muster('directories disconnect okta --dry-run')).stdout).toBe(
    [
      "Disconnecting okta changes nobody's access.",
      '  1 group with 1 membership stays as it is, managed by nobody.',
      '  1 account stays as it is, and okta owns it no more.',
      '  Forgotten: 1 unknown member.',
      '  1 token opens nothing from then on. It cannot be undone.',
      '',
    ].join('\n'),
  )
  expect((await muster('directories disconnect okta')).exitCode).toBe(6)
  expect(await muster('directories disconnect okta --yes')).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('okta is disconnected: its tokens open nothing.'),
  })
  expect((await muster('directories show okta')).exitCode).toBe(1)
  expect((await muster('directories disconnected')).stdout).toMatch(/^okta\tokta\t/)
  expect(await acme.membersOf('Crew')).toEqual(['ada'])
})
