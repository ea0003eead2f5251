import { expect } from 'vitest'
import { test } from './command-line.ts'

test('names that wait, and each way to settle them', async ({ muster, acme, okta }) => {
  for (const group of ['A', 'B', 'C']) await acme.has({ group, members: ['bob'] })
  await okta.knows('ada')
  for (const group of ['A', 'B', 'C']) {
    await okta.pushes({ group: `${group} of mine`, members: ['ada'] })
    await okta.renames(`${group} of mine`, group)
  }
  expect((await muster('reviews names')).stdout).toBe(
    'A\tA of mine\tA\trename-existing, keep-name, link\nB\tB of mine\tB\trename-existing, keep-name, link\nC\tC of mine\tC\trename-existing, keep-name, link\n',
  )
  expect((await muster('directories show okta')).stdout).toContain('Names\t3 new names taken by another group')
  expect((await muster('reviews rename-existing A')).stdout).toContain('Renamed\tA is now A (2)\n')
  expect((await muster('reviews keep-name B')).stdout).toMatch(/^Group\tB of mine\nPushed as\tB\nState\tsynced\n/)
  expect((await muster('reviews link C --to C --dry-run')).stdout).toContain('Members\t+1 −1, 0 stay\n')
  expect((await muster('reviews link C --to C')).stdout).toContain('Existing group\tC, 1 member\n')
  expect((await muster('reviews unlink A')).stdout).toContain('State\tneeds_review')
  expect(await muster('reviews names')).toMatchObject({ stdout: '', stderr: 'No name waits.\n' })
  expect(await muster('reviews keep-name B')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('No name of "B" waits'),
  })
})
