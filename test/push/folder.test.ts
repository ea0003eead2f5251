import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readCsvFolder } from '../../src/push/sources/csv-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-source-'))
  write('users.csv', 'user_name,email,display_name\nada,ada@example.org,Ada\nbob,,\n')
  write('groups.csv', 'group,description\nEngineering,Builds\nkubernetes/sig-docs,\n')
  write('members.csv', 'group,user_name\nEngineering,ada\nengineering,BOB\n')
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
const problemsOf = () =>
  readCsvFolder(folder).then(
    () => [],
    (error) => error.lines,
  )

test('people and groups, members by the user names of users.csv', async () => {
  expect(await readCsvFolder(folder)).toEqual({
    users: [
      { id: 'ada', userName: 'ada', email: 'ada@example.org', displayName: 'Ada', active: true },
      { id: 'bob', userName: 'bob', email: null, displayName: null, active: true },
    ],
    groups: [
      { id: null, name: 'Engineering', description: 'Builds', members: ['ada', 'bob'] },
      { id: null, name: 'kubernetes/sig-docs', description: null, members: [] },
    ],
  })
})

test('a source is read whole or not used: every fault with its file and line', async () => {
  write('users.csv', 'user_name,email,display_name\nada,ada@example.org,Ada\nADA,,\n')
  write('members.csv', 'group,user_name\nEngineering,nobody\nNo such group,ada\nEngineering\n')
  expect(await problemsOf()).toEqual([
    'users.csv, line 3: user "ADA" is in line 2 already',
    'members.csv, line 4: has 1 field, but the first line names 2 columns. Is the line cut?',
    'members.csv, line 2: user "nobody" is not in users.csv',
    'members.csv, line 3: group "No such group" is not in groups.csv',
  ])
})

test('a missing column', async () => {
  write('groups.csv', 'name\nEngineering\n')
  expect((await problemsOf())[0]).toMatch(/^groups\.csv, line 1: has no column "group"/)
})

test('at most 20 faults are named', async () => {
  write('members.csv', `group,user_name\n${Array.from({ length: 30 }, (_, i) => `Engineering,nobody${i}\n`).join('')}`)
  const problems = await problemsOf()
  expect(problems).toHaveLength(21)
  expect(problems.at(-1)).toBe('and 10 more')
})

test('a missing file and a missing folder', async () => {
  rmSync(join(folder, 'members.csv'))
  expect(await problemsOf()).toEqual([`members.csv is missing in ${folder}`])
  expect(await readCsvFolder(join(folder, 'nowhere')).catch((error) => error.lines)).toEqual([
    `There is no folder ${join(folder, 'nowhere')}`,
  ])
})
