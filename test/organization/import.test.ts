import { readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import { describe } from 'vitest'
import type { Trx } from '../../src/database/connection.ts'
import type { DirectoryId, GroupId } from '../../src/database/ids.ts'
import { accessOfPerson } from '../../src/organization/access-lists.ts'
import { createAccount, findAccount, insertAccount, writeAccount } from '../../src/organization/accounts.ts'
import { changeGroup, createGroup, findGroup } from '../../src/organization/groups.ts'
import { beginImport, importOrganization } from '../../src/organization/import.ts'
import { type ImportFiles, readImportFiles } from '../../src/organization/import-files.ts'
import { listMembers } from '../../src/organization/members.ts'
import { Refusal } from '../../src/organization/refusal.ts'
import { expect, test } from '../support/world.ts'

const sample = new URL('../../sample/kubernetes-org/existing/', import.meta.url)

async function sampleFiles(): Promise<Required<ImportFiles>> {
  const read = (file: string) => readFile(new URL(file, sample))
  return {
    users: await read('users.csv'),
    groups: await read('groups.csv'),
    members: await read('members.csv'),
    access: await read('access.csv'),
  }
}

const small = {
  users: 'user_name,email,display_name\nada,ada@example.org,Ada\nbob,,Bob\n',
  groups: 'group,description\nEngineering,Builds it\nSales,\n',
  members: 'group,user_name\nEngineering,ada\nengineering,BOB\n',
  access: 'site,product,role,group,default\nacme,wiki,user,Sales,true\nacme,wiki,admin,Engineering,false\n',
}

async function importFiles(trx: Trx, files: ImportFiles) {
  const rows = await readImportFiles(files)
  await beginImport(trx)
  return importOrganization(trx, rows)
}

/** What the tables of an organization hold, as counts. */
async function counts(trx: Trx) {
  const { rows } = await sql<Record<'people' | 'groups' | 'memberships' | 'grants' | 'defaults' | 'logEntries', number>>`
    select (select count(*)::integer from accounts where org_id = ${trx.orgId}) as people,
      (select count(*)::integer from groups where org_id = ${trx.orgId}) as groups,
      (select count(*)::integer from memberships where org_id = ${trx.orgId} and pushed and effective) as memberships,
      (select count(*)::integer from grants where org_id = ${trx.orgId}) as grants,
      (select count(*)::integer from grants where org_id = ${trx.orgId} and is_default) as defaults,
      (select count(*)::integer from log_entries where org_id = ${trx.orgId} and action <> 'organization.created' and action not like 'token.%') as "logEntries"`.execute(
    trx,
  )
  return rows[0]
}

/** The errors of an import that is refused. */
async function errorsOf(work: Promise<unknown>) {
  const refusal = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(refusal instanceof Refusal)) throw refusal ?? new Error('The import was not refused.')
  expect(refusal.code).toBe('invalid_import')
  return refusal.facts.errors as { file: string; line: number; message: string }[]
}

test('the sample comes in whole: 1,395 people, 718 groups, 5,854 memberships, 575 grants', async ({ inOrg }) => {
  const { report, concernedNameKeys } = await inOrg(async (trx) => importFiles(trx, await sampleFiles()))
  expect(report).toMatchObject({
    users: { created: 1395, updated: 0, unchanged: 0 },
    groups: { created: 718, updated: 0, unchanged: 0 },
    members: { added: 5854, unchanged: 0 },
    access: { added: 575, madeDefault: 0, unchanged: 0 },
  })
  expect(concernedNameKeys).toHaveLength(718)
  expect(await inOrg(counts)).toMatchObject({ people: 1395, groups: 718, memberships: 5854, grants: 575, defaults: 8 })
})

test('the same files again change nothing and write nothing', async ({ inOrg }) => {
  await inOrg((trx) => importFiles(trx, small))
  const before = await inOrg(counts)
  const { report, concernedNameKeys } = await inOrg((trx) => importFiles(trx, small))
  expect(report).toMatchObject({
    users: { created: 0, updated: 0, unchanged: 2 },
    groups: { created: 0, updated: 0, unchanged: 2 },
    members: { added: 0, unchanged: 2 },
    access: { added: 0, madeDefault: 0, unchanged: 2 },
  })
  expect(concernedNameKeys).toEqual([])
  expect(await inOrg(counts)).toEqual(before)
})

test('an import updates what nobody else owns, and takes nothing away', async ({ inOrg }) => {
  await inOrg((trx) => importFiles(trx, small))
  const { report } = await inOrg((trx) =>
    importFiles(trx, {
      users: 'user_name,email,display_name\nADA,,Ada Lovelace\n',
      groups: 'group,description\nengineering,\nsales,Sells it\n',
      access: 'site,product,role,group,default\nACME,Wiki,user,sales,false\n',
    }),
  )
  expect(report).toMatchObject({ users: { updated: 1 }, groups: { updated: 1, unchanged: 1 }, access: { unchanged: 1 } })
  await inOrg(async (trx) => {
    expect(await findAccount(trx, 'ada')).toMatchObject({
      userName: 'ada',
      email: 'ada@example.org',
      displayName: 'Ada Lovelace',
    })
    expect(await findGroup(trx, 'Engineering')).toMatchObject({ name: 'Engineering', description: 'Builds it', memberCount: 2 })
    expect(await findGroup(trx, 'Sales')).toMatchObject({ name: 'Sales', description: 'Sells it', isDefaultAccess: true })
  })
})

test('any of the files may be left out, and names may be the organization’s own', async ({ inOrg }) => {
  await inOrg((trx) => importFiles(trx, { users: small.users }))
  await inOrg((trx) => importFiles(trx, { groups: small.groups }))
  await inOrg((trx) => importFiles(trx, { members: small.members }))
  await inOrg((trx) => importFiles(trx, { access: small.access }))
  await inOrg(async (trx) => {
    expect(await counts(trx)).toMatchObject({ people: 2, groups: 2, memberships: 2, grants: 2, defaults: 1 })
    const ada = await findAccount(trx, 'ada@example.org')
    expect((await accessOfPerson(trx, ada.id)).items).toEqual([
      {
        site: 'acme',
        product: 'wiki',
        role: 'admin',
        roleId: expect.any(String),
        isAdministrative: true,
        through: ['Engineering'],
      },
    ])
  })
})

test('what a spreadsheet was kept from reading as a formula comes in as it was', async ({ inOrg }) => {
  await inOrg((trx) => importFiles(trx, { users: "user_name,email,display_name\nada,,'=Ada\n" }))
  expect(await inOrg((trx) => findAccount(trx, 'ada'))).toMatchObject({ displayName: '=Ada' })
})

test("a description has several lines, and a person's name its joiners; names and e-mails have neither", async ({ inOrg }) => {
  await inOrg((trx) =>
    importFiles(trx, {
      users: 'user_name,email,display_name\nada,,Ada 👩‍💻\n',
      groups: 'group,description\r\nEngineering,"Builds it\r\n\tand runs it"\r\n',
    }),
  )
  expect(await inOrg((trx) => findAccount(trx, 'ada'))).toMatchObject({ displayName: 'Ada 👩‍💻' })
  expect(await inOrg((trx) => findGroup(trx, 'Engineering'))).toMatchObject({ description: 'Builds it\r\n\tand runs it' })
  const users = (line: string) => inOrg((trx) => importFiles(trx, { users: `user_name,email,display_name\n${line}\n` }))
  expect(await errorsOf(users('a\u200bda,,'))).toMatchObject([{ message: expect.stringContaining('cannot be seen (U+200B)') }])
  expect(await errorsOf(users('bob,b\u200bob@example.org,'))).toMatchObject([{ message: expect.stringContaining('email') }])
  expect(await errorsOf(users('bob,,B\u0007ob'))).toMatchObject([{ message: expect.stringContaining('cannot be seen (U+0007)') }])
})

describe('a file with an error is named with its line, and nothing is imported', () => {
  const long = 'x'.repeat(10_000)
  test.for<[string, ImportFiles, string, number, RegExp]>([
    ['a missing column', { ...small, users: 'user_name,display_name\nada,Ada\n' }, 'users.csv', 1, /no column "email"/],
    ['an empty file', { ...small, groups: '' }, 'groups.csv', 1, /is empty/],
    [
      'an unknown group',
      { ...small, members: 'group,user_name\nEngineering,ada\nNobody,ada\n' },
      'members.csv',
      3,
      /no group "Nobody"/,
    ],
    ['an unknown user', { ...small, members: 'group,user_name\nSales,zoe\n' }, 'members.csv', 2, /no user "zoe"/],
    [
      'an unknown group of a grant',
      { ...small, access: `${small.access}acme,wiki,user,Nobody,false\n` },
      'access.csv',
      4,
      /no group "Nobody"/,
    ],
    [
      'a user twice, written otherwise',
      { ...small, users: `${small.users}ADA,,\n` },
      'users.csv',
      4,
      /user "ADA" is in line 2 already/,
    ],
    [
      'a group twice, written otherwise',
      { ...small, groups: `${small.groups}"engineering  ",\n` },
      'groups.csv',
      4,
      /in line 2 already/,
    ],
    ['a membership twice', { ...small, members: `${small.members}ENGINEERING,Ada\n` }, 'members.csv', 4, /in line 2 already/],
    ['a grant twice', { ...small, access: `${small.access}Acme,Wiki,User,sales,false\n` }, 'access.csv', 4, /in line 2 already/],
    ['a cut line', { ...small, members: `${small.members}Engineer` }, 'members.csv', 4, /has 1 field/],
    ['a cut quote', { ...small, groups: `${small.groups}Ops,"Runs\n` }, 'groups.csv', 4, /does not end/],
    [
      'a name of 10,000 characters',
      { ...small, groups: `${small.groups}${long},\n` },
      'groups.csv',
      4,
      /longer than 255 characters/,
    ],
    [
      'a user name of 10,000 characters',
      { ...small, users: `${small.users}${long},,\n` },
      'users.csv',
      4,
      /longer than 255 characters/,
    ],
    [
      'a description of 10,000 characters',
      { ...small, groups: `${small.groups}Ops,${long}\n` },
      'groups.csv',
      4,
      /longer than 1024 characters/,
    ],
    ['an empty name', { ...small, groups: `${small.groups} ,nothing\n` }, 'groups.csv', 4, /group is empty/],
    ['a control character', { ...small, users: `${small.users}zo\u0007e,,\n` }, 'users.csv', 4, /U\+0007/],
    ['U+0000', { ...small, users: `${small.users}zoe,,a\0b\n` }, 'users.csv', 4, /U\+0000/],
    [
      'a bad boolean',
      { ...small, access: `${small.access}acme,wiki,read,Sales,maybe\n` },
      'access.csv',
      4,
      /"maybe": say true or false/,
    ],
    [
      'bytes that are no UTF-8',
      { ...small, users: Buffer.from('user_name,email,display_name\nada,,\nJos\xe9,,\n', 'latin1') },
      'users.csv',
      3,
      /not UTF-8/,
    ],
  ])('%s', async ([, files, file, line, message], { inOrg }) => {
    const before = await inOrg(counts)
    expect(await errorsOf(inOrg((trx) => importFiles(trx, files)))).toEqual([
      { file, line, message: expect.stringMatching(message) },
    ])
    expect(await inOrg(counts)).toEqual(before)
  })

  test('up to 20 errors are named together, in the order of files and lines; the sentence names the first and says how many there are', async ({
    inOrg,
  }) => {
    const members = `group,user_name\n${Array.from({ length: 30 }, (_, n) => `Nobody ${n},ada\n`).join('')}`
    const work = inOrg((trx) => importFiles(trx, { ...small, users: `${small.users}ada,,\n`, members }))
    await expect(work).rejects.toThrow(/^Nothing was imported: 31 errors. users.csv, line 4: user "ada" is in line 2 already\./)
    const errors = await errorsOf(work)
    expect(errors).toHaveLength(20)
    expect(errors.map((error) => [error.file, error.line]).slice(0, 3)).toEqual([
      ['users.csv', 4],
      ['members.csv', 2],
      ['members.csv', 3],
    ])
  })
})

describe('what a directory manages', () => {
  async function managedSales(trx: Trx, directory: DirectoryId): Promise<GroupId> {
    await importFiles(trx, small)
    const { id } = await findGroup(trx, 'Engineering')
    await changeGroup(trx, id, { managedBy: directory })
    return id
  }

  test('a new member or grant of a managed group is refused with its line', async ({ inOrg, org }) => {
    const okta = await org.directory({ name: 'Okta' })
    await inOrg((trx) => managedSales(trx, okta.id))
    const before = await inOrg(counts)
    const errors = await errorsOf(
      inOrg((trx) =>
        importFiles(trx, {
          users: `${small.users}cyd,,\n`,
          members: `${small.members}Engineering,cyd\nSales,cyd\n`,
          access: `${small.access}acme,wiki,read,Engineering,false\n`,
        }),
      ),
    )
    expect(errors).toEqual([
      { file: 'members.csv', line: 4, message: expect.stringContaining('Managed by Okta. Change it there.') },
      { file: 'access.csv', line: 4, message: expect.stringContaining('is managed by Okta') },
    ])
    expect(await inOrg(counts)).toEqual(before)
  })

  test('what is so already is no change: the files that made the organization are accepted again', async ({ inOrg, org }) => {
    const okta = await org.directory()
    await inOrg((trx) => managedSales(trx, okta.id))
    const { report } = await inOrg((trx) =>
      importFiles(trx, { ...small, groups: 'group,description\nEngineering,Other\nSales,\n' }),
    )
    expect(report).toMatchObject({ groups: { updated: 0 }, members: { added: 0 }, access: { added: 0 } })
  })

  test('the profile of a person whom a directory owns stays', async ({ inOrg, org }) => {
    const okta = await org.directory()
    await inOrg(async (trx) => {
      const ada = await insertAccount(trx, { userName: 'ada', email: 'ada@okta.example' })
      await writeAccount(trx, ada, { ownedBy: okta.id })
      await importFiles(trx, small)
      expect(await findAccount(trx, 'ada')).toMatchObject({ email: 'ada@okta.example', displayName: null })
    })
  })
})

test('120,000 memberships come in at once', async ({ inOrg }) => {
  const people = Array.from({ length: 4_000 }, (_, n) => `person-${n}`)
  const groups = Array.from({ length: 300 }, (_, n) => `group-${n}`)
  const members = groups.flatMap((group, g) =>
    Array.from({ length: 400 }, (_, n) => `${group},${people[(g * 7 + n * 9) % people.length]}`),
  )
  const files = {
    users: ['user_name,email,display_name', ...people.map((person) => `${person},${person}@example.org,`)].join('\n'),
    groups: ['group,description', ...groups.map((group) => `${group},`)].join('\n'),
    members: ['group,user_name', ...members].join('\n'),
  }
  const { report } = await inOrg((trx) => importFiles(trx, files))
  expect(report).toMatchObject({ users: { created: 4_000 }, groups: { created: 300 }, members: { added: 120_000 } })
  await inOrg(async (trx) => {
    const { id, memberCount } = await findGroup(trx, 'group-299')
    expect(memberCount).toBe(400)
    expect((await listMembers(trx, id, { limit: 10, search: 'PERSON-1' })).items).toHaveLength(10)
  })
}, 60_000)

test('a person and a group made by hand are met by the import, not doubled', async ({ inOrg }) => {
  await inOrg(async (trx) => {
    await createAccount(trx, { userName: 'Ada' })
    await createGroup(trx, { name: 'ENGINEERING' })
  })
  const { report } = await inOrg((trx) => importFiles(trx, small))
  expect(report).toMatchObject({ users: { created: 1, updated: 1 }, groups: { created: 1, updated: 1 } })
})

test('two imports of the same files at the same moment make everything once', async ({ inOrg }) => {
  const reports = await Promise.all([inOrg((trx) => importFiles(trx, small)), inOrg((trx) => importFiles(trx, small))])
  expect(reports.map(({ report }) => report.users.created).sort()).toEqual([0, 2])
  expect(await inOrg(counts)).toMatchObject({ people: 2, groups: 2, memberships: 2, grants: 2 })
})
