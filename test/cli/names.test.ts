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

test('what waits: listed with why, shown, allowed or rejected', async ({ muster, acme, okta }) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Admins', members: ['ada', 'bob'] })
  await acme.grants('Admins', 'here/app/admin')
  await okta.switches('bob', 'off')
  await okta.replaces('Admins', [])
  const line = (since: string) => since.replace(/\t[^\t]*\n$/, '\n')
  const listed = await muster('reviews held')
  expect(line(listed.stdout)).toBe('Admins\tmembers\t1\tlast_admin\n')
  expect((await muster('reviews allow Admins --dry-run')).stdout).toMatch(
    /1 thing that waits would be done.*\n! .*last holder[\s\S]*dry run/,
  )
  expect((await muster('reviews allow Admins')).exitCode).toBe(6)
  expect(await muster('reviews allow')).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('names, or --all') })
  expect((await muster('reviews reject Admins')).exitCode).toBe(0)
  expect(await muster('reviews held')).toMatchObject({ stdout: '', stderr: 'Nothing waits.\n' })
  expect((await muster('reviews kept')).stdout).toMatch(/^Admins\tada/)
})

test('suggestions: listed with their figures, rejected, allowed again', async ({ muster, acme, okta }) => {
  await acme.has({ group: 'Design', members: ['ada', 'bob'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'app-Design', members: ['ada'] })
  const line = 'app-Design\tDesign\tsays_the_same\t0.5\t1\t1\t2\t0\n'
  expect(await muster('suggestions list')).toMatchObject({
    stdout: line,
    stderr: expect.stringContaining('muster reviews link GROUP'),
  })
  expect((await muster('suggestions reject app-Design Design')).exitCode).toBe(0)
  expect(await muster('suggestions list')).toMatchObject({ stdout: '', stderr: 'No group looks like another one.\n' })
  expect((await muster('suggestions list --rejected')).stdout).toBe('app-Design\tDesign\t\t0.5\t1\t1\t2\t0\n')
  expect((await muster('suggestions allow app-Design Design')).exitCode).toBe(0)
  expect((await muster('suggestions list')).stdout).toBe(line)
})
