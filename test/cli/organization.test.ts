import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from './command-line.ts'

test('a list: tabs in a pipe, the API’s own object with --json, and how much of it was shown', async ({ muster, acme }) => {
  for (const group of ['kubernetes/sig-docs', 'kubernetes/sig-node', 'wheel']) await acme.has({ group, members: ['ada'] })
  expect(await muster('groups list --limit 2')).toMatchObject({
    exitCode: 0,
    stdout: 'kubernetes/sig-docs\t1\t\nkubernetes/sig-node\t1\t\n',
    stderr: '2 of 3, use --limit 0 for all\n',
  })
  expect((await muster('groups list --limit 0 --sort=-name')).stdout.split('\n')[0]).toBe('wheel\t1\t')
  expect((await muster('groups list --search sig --offset 1')).stdout).toBe('kubernetes/sig-node\t1\t\n')
  expect(JSON.parse((await muster('groups list --limit 1 --json')).stdout)).toMatchObject({
    total: 3,
    items: [{ name: 'kubernetes/sig-docs', memberCount: 1 }],
  })
})

test('names with slashes; members and access of people', async ({ muster, acme }) => {
  await acme.has({ group: 'kubernetes/sig-docs', members: ['ada', 'bob'] })
  await acme.grants('kubernetes/sig-docs', 'kubernetes/website/write')
  expect((await muster('groups show kubernetes/sig-docs')).stdout).toMatch(/^Group\tkubernetes\/sig-docs\n/)
  expect(JSON.parse((await muster('groups members kubernetes/sig-docs --limit 0 --json')).stdout)).toMatchObject({
    total: 2,
    items: [{ userName: 'ada', email: 'ada@example.org' }, { userName: 'bob' }],
  })
  expect((await muster('people access ada')).stdout).toBe('kubernetes\twebsite\twrite\tkubernetes/sig-docs\n')
  expect(JSON.parse((await muster('people access ada --json')).stdout).items).toMatchObject([
    { site: 'kubernetes', product: 'website', role: 'write', through: ['kubernetes/sig-docs'] },
  ])
  expect((await muster('access why ada kubernetes/website/write')).stdout).toMatch(
    /^ada has kubernetes\/website:write through kubernetes\/sig-docs\.\n/,
  )
})

test('who could do what at a moment, and what is other now', async ({ muster, acme, api }) => {
  await acme.has({ group: 'docs', members: ['ada', 'bob'] })
  await acme.grants('docs', 'kubernetes/website/write')
  const moment = new Date().toISOString()
  await api('PATCH', '/groups/docs/members', { remove: ['ada'], add: [] })
  expect((await muster(`people access ada --at ${moment}`)).stdout).toBe('kubernetes\twebsite\twrite\tdocs\n')
  expect((await muster(`people access ada --since ${moment}`)).stdout).toBe('lost\tkubernetes\twebsite\twrite\tdocs\n')
  expect((await muster(`access people kubernetes/website/write --at ${moment}`)).stdout).toBe(
    'ada\tada@example.org\tada\tdocs\nbob\tbob@example.org\tbob\tdocs\n',
  )
  expect((await muster(`access people kubernetes/website/write --since ${moment}`)).stdout).toBe(
    'lost\tada\tada@example.org\tada\tdocs\n',
  )
  expect((await muster(`groups members docs --at ${moment} --json`)).stdout).toMatch(/"ada"/)
  expect((await muster(`groups members docs --since ${moment}`)).stdout).toBe('lost\tada\tada@example.org\tada\ttrue\n')
  expect((await muster('groups history docs --limit 1')).stdout).toMatch(/^20\S+\ttoken:tests owner\tRemoved ada\.\t\t\d+\n$/)
  expect((await muster('people history ada --limit 1')).stderr).toMatch(/^There is more: --before \d+\n$/)
  expect((await muster(`groups restore docs --to ${moment} --dry-run`)).stdout).toMatch(
    /^docs: 1 change undone\. 1 to add, 0 to remove\./,
  )
  expect((await muster(`groups restore docs --to ${moment}`)).stderr).toMatch(
    /Put back: docs, 1 member came back, 0 members went\.\n$/,
  )
  expect((await muster(`people access ada --since ${moment}`)).stdout).toBe('')
  expect(await muster('people access ada --at 2001-01-01')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/The organization began at/),
  })
  expect(await muster('people access ada --at 2001-01-01 --since 2001-01-01')).toMatchObject({ exitCode: 64 })
})

test('what is not there: one line why, one line what to do, exit code 1', async ({ muster }) => {
  expect(await muster('groups show nobody')).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(/^muster: There is no such group\.\n.+\n$/),
  })
  expect((await muster('people access nobody')).stderr).toMatch(/no such person\.\n.+muster people list/)
})

test('import: all or nothing, every fault with its file and line', async ({ muster, folder }) => {
  const write = (file: string, text: string) => writeFileSync(join(folder, 'organization', file), text)
  mkdirSync(join(folder, 'organization'))
  write('users.csv', 'user_name,email,display_name\nada,ada@example.org,Ada\n')
  write('groups.csv', 'group,description\nEngineering,\n')
  write('members.csv', 'group,user_name\nEngineering,ada\nEngineering,nobody\n')
  const refused = await muster('import organization')
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toMatch(
    /^muster: Nothing was imported: 1 error\.\n {2}members\.csv, line 3: .*nobody.*\nCorrect the files and import again\.\n$/,
  )
  expect((await muster('groups list')).stdout).toBe('')
  write('members.csv', 'group,user_name\nEngineering,ada\n')
  expect(JSON.parse((await muster('import organization --json')).stdout)).toMatchObject({
    users: { created: 1 },
    groups: { created: 1 },
    members: { added: 1 },
  })
  expect(await muster('import nowhere')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('There is no folder nowhere.'),
  })
})

test('import: what cannot even be sent is told by file and line too', async ({ muster, folder }) => {
  mkdirSync(join(folder, 'organization'))
  const refusedFor = async (users: Buffer) => {
    writeFileSync(join(folder, 'organization/users.csv'), users)
    return (await muster('import organization')).stderr
  }
  const text = 'user_name,email,display_name\nada,,\nJosé,,\n'
  expect(await refusedFor(Buffer.from(text, 'latin1'))).toMatch(/users\.csv, line 3 is not UTF-8\.\n/)
  expect(await refusedFor(Buffer.from(text.replace('ada', 'a\0da')))).toMatch(
    /users\.csv, line 2 holds the character U\+0000\.\n/,
  )
})

test('a directory: made with its first token, changed, its tokens ended', async ({ muster, server }) => {
  const made = JSON.parse((await muster('directories create okta --provider okta --quiet-seconds 5 --json')).stdout)
  expect(made).toMatchObject({
    name: 'okta',
    provider: 'okta',
    scimUrl: `${server.url}/scim/v2`,
    quietSeconds: 5,
    token: expect.stringMatching(/^muster_scim_/),
  })
  expect((await muster('directories set okta --conflict-policy refuse --email-domain example.org')).stdout).toContain(
    'On conflict\trefuse\n',
  )
  expect((await muster('directories set okta --strict')).stdout).toContain('Strict\tyes\n')
  expect((await muster('directories set okta --no-strict')).stdout).toContain('Strict\tno\n')
  expect(JSON.parse((await muster('directories show okta --json')).stdout)).toMatchObject({
    conflictPolicy: 'refuse',
    emailDomains: ['example.org'],
    complete: expect.any(Boolean),
    lastPush: null,
    groups: { received: 0, synced: 0, needsReview: 0, blocked: 0, held: 0, ignored: 0 },
  })
  const second = (await muster('directories tokens create okta')).stdout
  expect(second).toMatch(/^muster_scim_\S+\n$/)
  const [id] = (await muster('directories tokens list okta')).stdout.split('\t')
  expect(await muster(`directories tokens revoke okta ${id}`)).toMatchObject({ exitCode: 0, stderr: 'Revoked.\n' })
  expect(await muster('directories create okta --provider okta')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/already exists\.\nTake another name\.\n$/),
  })
})

test('an auditor reads and may not write: exit code 4', async ({ muster, org }) => {
  const env = { MUSTER_TOKEN: await org.token('auditor') }
  expect((await muster('directories list', { env })).exitCode).toBe(0)
  expect((await muster('directories create okta', { env })).exitCode).toBe(4)
})

test('api: any path', async ({ muster }) => {
  expect(JSON.parse((await muster('api GET /api/v1/groups -f limit=1')).stdout)).toEqual({ total: 0, items: [] })
  expect(JSON.parse((await muster('api POST /api/v1/groups -f name=wheel')).stdout)).toMatchObject({ name: 'wheel' })
  expect(
    JSON.parse((await muster('api PATCH /api/v1/groups/wheel --input -', { input: '{"description":"Root"}' })).stdout),
  ).toMatchObject({ description: 'Root' })
  expect((await muster('api GET /api/v1/nothing')).exitCode).toBe(1)
})

test('why: slashes in an access may be those of any of its names', async ({ muster, acme }) => {
  await acme.has({ group: 'Wheel', members: ['ada'] })
  for (const access of ['a/b/c/d/admin', 'kubernetes/website/admin']) {
    const [site = '', ...rest] = access === 'a/b/c/d/admin' ? ['a/b', 'c/d', 'admin'] : access.split('/')
    const [product, role] = rest
    await muster(`api POST /api/v1/grants --input -`, { input: JSON.stringify({ group: 'Wheel', site, product, role }) })
    expect(JSON.parse((await muster(`access why ada ${access} --json`)).stdout)).toMatchObject({
      access: true,
      site,
      product,
      role,
    })
  }
  expect(await muster('access why ada x/y/z/admin')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^muster: There is no role x\/y\/z\/admin/),
  })
})
