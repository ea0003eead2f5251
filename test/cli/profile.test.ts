import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { commandLine, test } from './command-line.ts'

test('login keeps server and token in a file that only its owner can read', async ({ server, org }) => {
  const { muster, folder } = commandLine()
  expect(await muster(`login --server ${server.url} --token-stdin`, { input: `${org.adminToken}\n` })).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^Signed in to .* \(owner\), profile default\.\n$/),
  })
  const path = join(folder, '.config/muster/config.json')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(JSON.parse((await muster('whoami --json')).stdout)).toMatchObject({
    organization: { slug: org.slug },
    token: { role: 'owner' },
  })
  expect((await muster('profiles list')).stdout).toBe(`default\t${server.url}\t${org.slug}\ttrue\n`)
  await muster('logout')
  expect(readFileSync(path, 'utf8')).not.toContain(org.adminToken)
  expect((await muster('whoami')).exitCode).toBe(4)
})

test('a wrong token is not kept', async ({ server }) => {
  const { muster } = commandLine()
  expect(await muster(`login --server ${server.url} --token-stdin`, { input: 'muster_api_wrong' })).toMatchObject({
    exitCode: 4,
    stderr: expect.stringMatching(/^muster: The server does not accept this token\.\n/),
  })
  expect((await muster('profiles list')).stdout).toBe('')
})

test('flag before environment before profile', async ({ server, org }) => {
  const { muster, folder } = commandLine({ MUSTER_CONFIG_DIR: 'config' })
  const auditor = await org.token('auditor')
  await muster(`login -P work --server ${server.url} --token-stdin`, { input: org.adminToken })
  const roleWith = async (command: string, env: Record<string, string> = {}) =>
    JSON.parse((await muster(command, { env })).stdout).token.role
  expect(await roleWith('whoami --json')).toBe('owner')
  expect(await roleWith('whoami --json', { MUSTER_TOKEN: auditor })).toBe('auditor')
  writeFileSync(join(folder, 'token'), `${auditor}\n`)
  expect(await roleWith('whoami --json', { MUSTER_TOKEN_FILE: 'token' })).toBe('auditor')
  expect(await roleWith('whoami --json -P work', { MUSTER_TOKEN: auditor, MUSTER_SERVER: 'http://127.0.0.1:1' })).toBe('owner')
})

test("a profile's token is sent to its own server only", async ({ server, org }) => {
  const { muster } = commandLine()
  await muster(`login --server ${server.url} --token-stdin`, { input: org.adminToken })
  expect(await muster('whoami --server http://127.0.0.1:1')).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('There is no token for http://127.0.0.1:1.'),
  })
})

test('a token of another organization than the one that is meant is refused', async ({ muster, org }) => {
  expect(await muster('groups list --org somebody-else')).toMatchObject({
    exitCode: 4,
    stderr: expect.stringMatching(
      new RegExp(`^muster: This token is of the organization ${org.slug}, not of somebody-else\\.\n`),
    ),
  })
  expect((await muster(`groups list --org ${org.slug}`)).exitCode).toBe(0)
})
