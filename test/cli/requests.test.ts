import { expect } from 'vitest'
import { test } from './command-line.ts'

test('the requests of a directory, a line each, and one of them in five steps', async ({ muster, okta }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Sales', members: ['ada'] })
  await okta.pushes({ group: 'sales' })
  const failed = await muster('directories requests okta --failed')
  expect(failed).toMatchObject({ exitCode: 0, stderr: '' })
  const [at, status, method, path, outcome, id] = failed.stdout.trimEnd().split('\t')
  expect([status, method, path]).toEqual(['409', 'POST', '/scim/v2/Groups'])
  expect(at).toMatch(/^\d{4}-\d\d-\d\dT/)
  expect(outcome).toMatch(/already exists/)
  const shown = (await muster(`directories requests show okta ${id}`)).stdout
  expect(shown).toMatch(/^Request\t.+\n/)
  expect(shown).toMatch(
    /\nparsed\tIt asks to create the group "sales"\.\nmatched\t.+\ndecided\tResource \[GROUP\].+\napplied\tNot reached\.\n$/,
  )
  const page = await muster('directories requests okta --person ada --limit 1')
  expect(page.stdout).toContain('POST\t/scim/v2/Groups')
  expect(page.stderr).toMatch(/^There are more: --before [0-9a-f-]{36}\n$/)
  expect(JSON.parse((await muster('directories requests list okta --group Sales --json')).stdout)).toMatchObject({
    items: [{ status: 409 }, { status: 201, resource: { kind: 'group', name: 'Sales' } }],
    next: null,
  })
  expect(await muster('directories requests okta --limit 0')).toMatchObject({ exitCode: 64 })
})
