import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { startTinyScimService, token } from '../push/tiny-scim-service.ts'
import { expect, test } from '../support/world.ts'
import { commandLine } from './command-line.ts'

test('pushes of the server from a shell: a file, its secrets, a plan, the push, drift', async ({ org, server }) => {
  const [source, target] = [await startTinyScimService(), await startTinyScimService()]
  onTestFinished(source.stop)
  onTestFinished(target.stop)
  source.users.push({ id: 's-ada', userName: 'ada', active: true })
  source.groups.push({ id: 's-docs', displayName: 'sig-docs', members: [{ value: 's-ada' }] })
  const env = { MUSTER_SERVER: server.url, MUSTER_TOKEN: org.adminToken, MUSTER_SOURCE_SECRET: token, MUSTER_TARGET_TOKEN: token }
  const { muster, folder } = commandLine(env)
  const file = join(folder, 'pushes.yaml')
  writeFileSync(
    file,
    `version: 1
sources: [{ name: hr, settings: { kind: scim, url: '${source.url}' } }]
targets: [{ name: wiki, source: hr, url: '${target.url}' }]
rules: [{ name: sigs, target: wiki, condition: { include: [{ field: name, is: starts_with, value: sig- }] } }]
mappings: []
`,
  )
  const done = async (command: string, exitCode = 0) => {
    const ended = await muster(command)
    expect(ended.exitCode, `${command}: ${ended.stderr}`).toBe(exitCode)
    return ended.stdout
  }
  await done(`push import ${file}`)
  await done('push secret source hr')
  await done('push secret target wiki')
  expect(await done('push run wiki')).toContain('groups 1 to create')
  expect(await done('push run wiki --yes')).toContain('source 1 groups = target 1, 0 differ.')
  expect(target.members()).toEqual({ 'sig-docs': ['ada'] })
  expect(await done('push mappings')).toBe('sig-docs\twiki\tactive\t1\t\n')
  target.groups.pop()
  expect(await done('push drift wiki --detailed-exitcode', 2)).toContain('sig-docs\tgone')
  expect(await done('push export')).toContain('name: hr')
})
