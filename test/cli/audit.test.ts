import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from './command-line.ts'

test('the log as a person reads it: who did what, and what it was before', async ({ muster, acme, okta }) => {
  await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
  await acme.renames('Sales', 'Marketing')
  await okta.knows('ada')
  const listed = await muster('audit list --subject Marketing --limit 1')
  expect(listed.stderr).toContain('There are more')
  const renamed = listed.stdout.split('\t')
  expect(renamed.slice(1, -1)).toEqual(['token:tests owner', 'group.renamed', 'Marketing', 'name Sales → Marketing'])
  const entry = renamed.at(-1)?.trim()
  expect((await muster(`audit show ${entry}`)).stdout).toMatch(/^Entry\t\d+, not sealed yet\n[\s\S]*\nname\tSales → Marketing\n$/)
  const [added = ''] = (await muster('audit --action members --oldest-first')).stdout.split('\n')
  expect(added).toContain('members.changed\tSales\t+ada, +bob\t')
  expect((await muster(`audit show ${added.split('\t').at(-1)}`)).stdout).toMatch(/added\tada\tada\nadded\tbob\tbob\n/)
  expect(await muster('audit list --actor nobody')).toMatchObject({ exitCode: 0, stdout: '', stderr: 'There are none.\n' })
  expect(await muster('audit list --limit 0')).toMatchObject({ exitCode: 64 })
})

test('an export is verified off-line, and against a kept head', async ({ muster, folder, acme }) => {
  await acme.has({ group: 'Sales', members: ['ada'] })
  const offLine = { env: { MUSTER_SERVER: '', MUSTER_TOKEN: '' } }
  await muster('audit export -o early.ndjson')
  await acme.has({ group: 'Crew', members: ['ada'] })
  writeFileSync(join(folder, 'head.json'), (await muster('audit head --json')).stdout)
  expect(await muster('audit export --out log.ndjson')).toMatchObject({
    exitCode: 0,
    stderr: 'Exported to log.ndjson. Next: muster audit verify log.ndjson\n',
  })
  expect((await muster('audit export')).stdout).toBe(readFileSync(join(folder, 'log.ndjson'), 'utf8'))
  expect(await muster('audit verify log.ndjson --head head.json', offLine)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^\d+ entries in 2 blocks verified\.\n$/),
    stderr: expect.stringContaining('The head is not signed'),
  })
  expect(await muster('audit verify early.ndjson --head head.json', offLine)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('its tail was cut'),
  })
  expect(await muster('audit verify log.ndjson --key 0011223344556677', offLine)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('signed by nobody, not by the key 0011223344556677'),
  })
  const text = readFileSync(join(folder, 'log.ndjson'), 'utf8')
  writeFileSync(join(folder, 'edited.ndjson'), text.replace('Crew', 'Crow'))
  const edited = await muster('audit verify edited.ndjson --json', offLine)
  expect(edited.exitCode).toBe(1)
  const { fault } = JSON.parse(edited.stdout)
  expect(fault.text).toMatch(/^Entry \d+ was changed/)
  expect(fault.line).toBe(text.slice(0, text.indexOf('Crew')).split('\n').length)
  expect(await muster('audit verify nothing.ndjson', offLine)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('ENOENT'),
  })
  expect(await muster('audit verify log.ndjson --head log.ndjson', offLine)).toMatchObject({ exitCode: 64 })
  expect((await muster('audit verify')).stdout).toMatch(/^\d+ entries in 2 blocks verified\.\n$/)
})
