import { spawnSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../support/server.ts'
import { root } from '../support/source-files.ts'
import { commandLine } from './command-line.ts'

test('the version, on the Node that the project brings', async () => {
  const { muster } = commandLine()
  expect(await muster('version')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^muster \d+\.\d+\.\d+\n$/),
    stderr: '',
  })
  expect(JSON.parse((await muster('version --json')).stdout)).toMatchObject({ node: expect.stringMatching(/^26\./) })
})

test('help is a page led by examples', async () => {
  const { stdout, exitCode } = await commandLine().muster('--help')
  expect(exitCode).toBe(0)
  expect(stdout.split('\n').length).toBeLessThan(90)
  expect(stdout.indexOf('muster demo')).toBeLessThan(stdout.indexOf('Usage:'))
})

test('wrong usage: one line why, one line what to do, exit code 64', async () => {
  const { muster } = commandLine()
  expect(await muster('snyc')).toMatchObject({ exitCode: 64, stderr: "muster: unknown command 'snyc'\n(Did you mean sync?)\n" })
  expect(await muster('groups list --limit many')).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining('It is a whole number.'),
  })
  const env = { MUSTER_SERVER: 'http://127.0.0.1:9999', MUSTER_TOKEN: 'muster_api_x' }
  expect(await muster('sync --all --only takes-nothing', { env })).toMatchObject({
    exitCode: 64,
    stderr: 'muster: Groups, --all and --only exclude each other.\nName groups, or use --all, or --only takes-nothing\n',
  })
  expect(await muster('sync', { env })).toMatchObject({
    exitCode: 64,
    stderr: expect.stringMatching(/^muster: No group is named\.\n/),
  })
  expect((await muster('groups members -lead')).stderr).toMatch(/unknown option '-lead'\n.*a dash comes last, after --\n$/)
  expect(await muster('access why ada kubernetes/website')).toMatchObject({
    exitCode: 64,
    stderr: 'muster: "kubernetes/website" names no access.\nName it as SITE/PRODUCT/ROLE, for example kubernetes/website/admin\n',
  })
})

test('no server and no token: sign-in needed, exit code 4', async () => {
  const { muster } = commandLine()
  expect(await muster('groups list')).toMatchObject({
    exitCode: 4,
    stderr: expect.stringMatching(/^muster: No server is chosen\.\nSet MUSTER_SERVER/),
  })
  expect(await muster('groups list --server localhost:9')).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('There is no token for http://localhost:9.'),
  })
  expect(await muster('push nowhere --to http://127.0.0.1:1/scim/v2')).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('MUSTER_TARGET_TOKEN'),
  })
})

test('a server that is not there: exit code 1, and how to start one', async () => {
  const server = `http://127.0.0.1:${await freePort()}`
  const { muster } = commandLine({ MUSTER_SERVER: server, MUSTER_TOKEN: 'muster_api_x' })
  expect(await muster('groups list')).toMatchObject({
    exitCode: 1,
    stderr: `muster: ${server} cannot be reached: ECONNREFUSED.\nStart it with muster serve, or name another with --server or -P.\n`,
  })
})

test('a profile that does not exist, and the demo that does not run', async () => {
  const { muster } = commandLine()
  expect(await muster('groups list -P work')).toMatchObject({
    exitCode: 64,
    stderr: 'muster: There is no profile "work".\nSee which there are: muster profiles list\n',
  })
})

test('a configuration that is not JSON', async () => {
  const { muster, folder } = commandLine({ MUSTER_CONFIG_DIR: '.' })
  writeFileSync(join(folder, 'config.json'), '{"profiles":')
  expect(await muster('groups list')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^muster: config\.json is not JSON\.\nMend it/),
  })
})

test('bin/muster is found through links, as npx makes them', () => {
  const { folder } = commandLine()
  symlinkSync(root, join(folder, 'package'))
  symlinkSync('package/bin/muster', join(folder, 'muster'))
  expect(spawnSync(join(folder, 'muster'), ['version'], { encoding: 'utf8' })).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^muster /),
  })
})
