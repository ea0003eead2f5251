import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Organization, Provider } from '../support/story.ts'
import { test } from './command-line.ts'

/** Docs loses bob and gains cyd when synced, and with it bob's only access; Wheel only gains. */
async function twoReviews(acme: Organization, okta: Provider) {
  await acme.has({ group: 'kubernetes/sig-docs', members: ['ada', 'bob'] })
  await acme.grants('kubernetes/sig-docs', 'kubernetes/website/write')
  await acme.has({ group: 'Wheel', members: ['ada'] })
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'kubernetes/sig-docs', members: ['ada', 'cyd'] })
  await okta.pushes({ group: 'Wheel', members: ['ada', 'cyd'] })
}

test('effect and list, as a script reads them', async ({ muster, acme, okta }) => {
  await twoReviews(acme, okta)
  expect(JSON.parse((await muster('reviews effect --all --json')).stdout)).toMatchObject({
    directory: 'okta',
    groups: 2,
    blocked: 0,
    members: { added: 2, removed: 1 },
    access: { lost: 1, gained: 1, peopleLosing: 1, peopleGaining: 1, leftWithNone: 1, jointLosses: 0 },
    fingerprint: expect.stringMatching(/^\w{64}$/),
  })
  expect(JSON.parse((await muster('reviews list -d okta --limit 0 --json')).stdout)).toMatchObject({
    total: 2,
    items: [
      {
        group: { name: 'kubernetes/sig-docs' },
        state: 'needs_review',
        reasons: ['name_taken'],
        members: { added: 1, removed: 1, unchanged: 1 },
        access: { lost: 1 },
      },
      { group: { name: 'Wheel' } },
    ],
  })
  expect((await muster('reviews members kubernetes/sig-docs')).stdout).toBe(
    'added\tcyd\tcyd@example.org\nremoved\tbob\tbob@example.org\n',
  )
  expect((await muster('reviews people --all')).stdout).toMatch(/^bob\tkubernetes\/website:write\t\t−kubernetes\/sig-docs\n$/)
  expect((await muster('reviews effect --all --detailed-exitcode')).exitCode).toBe(2)
  expect((await muster('reviews effect nobody')).exitCode).toBe(1)
})

test('what takes nothing is synced without a question; the run is printed', async ({ muster, acme, okta }) => {
  await twoReviews(acme, okta)
  const { exitCode, stdout } = await muster('sync --only takes-nothing --json')
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    id: expect.any(String),
    state: 'finished',
    groups: { synced: 1, skipped: 0, failed: 0 },
    access: { lost: 0 },
  })
  expect(await acme.membersOf('Wheel')).toEqual(['ada', 'cyd'])
  expect(await acme.membersOf('kubernetes/sig-docs')).toEqual(['ada', 'bob'])
  expect((await muster('runs list')).stdout.split('\t').slice(3, 7)).toEqual(['1', '1', '0', '0'])
  const { id } = JSON.parse(stdout)
  expect(await muster(`runs watch ${id}`)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`run ${id}`) })
  expect((await muster(`runs show ${id} --json`)).stdout).toBe(stdout)
  expect((await muster('runs show nothing')).exitCode).toBe(1)
})

test('where access is taken it asks, and where nobody can be asked it refuses: exit code 6', async ({ muster, acme, okta }) => {
  await twoReviews(acme, okta)
  expect(await muster('sync kubernetes/sig-docs')).toMatchObject({
    exitCode: 6,
    stdout: '',
    stderr: expect.stringMatching(
      /^muster: This takes access from 1 person, and there is no terminal to ask on\. Nothing was done\.\nAdd --yes/,
    ),
  })
  expect(await muster('sync kubernetes/sig-docs --max-lost 0 --yes')).toMatchObject({
    exitCode: 6,
    stderr: expect.stringContaining('--max-lost allows 0.'),
  })
  expect(await acme.membersOf('kubernetes/sig-docs')).toEqual(['ada', 'bob'])
  expect(await muster('sync kubernetes/sig-docs --max-lost 1 --yes')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('1 synced, 0 skipped, 0 failed'),
  })
  expect(await acme.membersOf('kubernetes/sig-docs')).toEqual(['ada', 'cyd'])
  expect(await muster('sync kubernetes/sig-docs --yes')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Nothing to do.'),
  })
})

test('with nothing to do a script reads a run of nothing', async ({ muster, acme, okta }) => {
  await acme.has({ group: 'Wheel', members: ['ada'] })
  await okta.pushes({ group: 'Hub', members: ['ada'] })
  for (const command of ['sync --all', 'sync Hub', 'sync --only takes-nothing --dry-run']) {
    const { exitCode, stdout } = await muster(`${command} --json`)
    expect({ exitCode, run: JSON.parse(stdout) }, command).toMatchObject({
      exitCode: 0,
      run: {
        id: null,
        state: 'finished',
        groups: { total: 0, synced: 0, skipped: 0, failed: 0 },
        access: { lost: 0, gained: 0 },
        skipped: [],
      },
    })
  }
})

test('a dry run changes nothing', async ({ muster, acme, okta }) => {
  await twoReviews(acme, okta)
  expect(await muster('sync --all --dry-run')).toMatchObject({
    exitCode: 0,
    stdout:
      'Would sync 2 groups: 2 to add, 1 to remove. 1 person loses 1 access, 1 gains 1. 1 person is left with none.\nNothing was changed (dry run).\n',
  })
  expect(await acme.membersOf('Wheel')).toEqual(['ada'])
})

test('a plan is done as it was reviewed, or refused with the new figures: exit code 5', async ({
  muster,
  folder,
  acme,
  okta,
}) => {
  await twoReviews(acme, okta)
  expect((await muster('reviews plan --all -o review.json')).exitCode).toBe(0)
  expect(statSync(join(folder, 'review.json')).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(join(folder, 'review.json'), 'utf8'))).toMatchObject({
    directory: 'okta',
    choices: { choices: {} },
    effect: { groups: 2 },
  })
  await okta.removes('Wheel', ['cyd'])
  const refused = await muster('sync --plan review.json --yes')
  expect(refused).toMatchObject({
    exitCode: 5,
    stdout:
      'Now: 1 to add, 1 to remove. 1 person loses 1 access, 1 gains 1. 1 person is left with none.\n' +
      'Was: 2 to add, 1 to remove. 1 person loses 1 access, 1 gains 1. 1 person is left with none.\n',
    stderr: expect.stringMatching(/^muster: The review changed while you were looking: Wheel\. Nothing was synced\.\n/),
  })
  expect(await acme.membersOf('kubernetes/sig-docs')).toEqual(['ada', 'bob'])
  await okta.adds('Wheel', ['cyd'])
  expect(JSON.parse((await muster('sync --plan review.json --yes --json')).stdout)).toMatchObject({ groups: { synced: 2 } })
  expect(await muster('sync --plan review.json --all')).toMatchObject({ exitCode: 64 })
})

test('a run that leaves groups out says which and why: exit code 3', async ({ muster, acme, okta }) => {
  await twoReviews(acme, okta)
  await acme.has({ group: 'Emptied', members: ['ada'] })
  await okta.pushes({ group: 'Emptied', members: [] })
  const { exitCode, stdout, stderr } = await muster('sync --only takes-nothing')
  expect({ exitCode, stdout }).toEqual({
    exitCode: 3,
    stdout: expect.stringContaining('1 synced, 1 skipped, 0 failed of 2 groups'),
  })
  expect(stderr).toContain('Emptied: pushed empty over a group with members (--accept-empty syncs it all the same)')
  expect(await muster('sync Emptied')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Accept it with --accept-empty'),
  })
  expect((await muster('sync Emptied --accept-empty')).exitCode).toBe(0)
  expect(await acme.membersOf('Emptied')).toEqual([])
})

test('what is accepted as incomplete may be empty too, and is named first', async ({ muster, acme, okta }) => {
  await twoReviews(acme, okta)
  await acme.has({ group: 'Straße', members: ['ada'] })
  await okta.pushes({ group: 'Straße', members: [] })
  const preview = (options: string) => muster(`sync STRASSE Wheel --dry-run ${options}`)
  expect((await preview('')).stdout).toContain('  Straße: pushed empty')
  expect((await preview('--accept-empty')).stdout).toContain('Pushed empty, all members go: Straße.\n')
  expect((await preview('--accept-incomplete')).stdout).toContain('Pushed empty, all members go: Straße.\n')
  const run = await muster('sync --all --yes --accept-incomplete --json')
  expect({ exitCode: run.exitCode, groups: JSON.parse(run.stdout).groups }).toMatchObject({
    exitCode: 0,
    groups: { synced: 3, skipped: 0 },
  })
  expect(await acme.membersOf('Straße')).toEqual([])
  expect((await muster('sync --help')).stdout).toMatch(/--accept-incomplete\s+also groups .* pushed empty/)
})

test('which directory, where there are several', async ({ muster, acme, okta, entra }) => {
  await twoReviews(acme, okta)
  void entra
  expect(await muster('reviews list')).toMatchObject({
    exitCode: 64,
    stderr: 'muster: There are 2 directories: entra, okta.\nName one of them: -d NAME\n',
  })
  expect((await muster('reviews list -d okta')).stdout.split('\n')).toHaveLength(3)
})

test('the directory that is named is the only one asked', async ({ muster, acme, okta, entra }) => {
  await twoReviews(acme, okta)
  await entra.knows('cyd')
  await entra.pushes({ group: 'Wheel', members: ['cyd'] })
  await entra.pushes({ group: 'Hub', members: ['cyd'] })
  expect(await muster('reviews show Wheel')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('More than one directory pushes a group of that name.'),
  })
  const shown = async (command: string) => JSON.parse((await muster(`${command} --json`)).stdout)
  expect(await shown('reviews show wheel -d okta')).toMatchObject({ state: 'needs_review', members: { added: 1 } })
  expect(await shown('reviews show wheel -d entra')).toMatchObject({ state: 'blocked' })
  expect(await shown('reviews members wheel -d okta')).toMatchObject({ total: 1 })
  for (const command of ['reviews show', 'reviews members'])
    expect(await muster(`${command} kubernetes/sig-docs -d entra`)).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/^muster: There is no such review\./),
    })
  const { group } = await shown('reviews show kubernetes/sig-docs')
  expect(await muster(`reviews show ${group.id} -d entra`)).toMatchObject({ exitCode: 1, stdout: '' })
})

test('push: a folder to a SCIM address, the second time without a write', async ({ muster, folder, server, acme, okta }) => {
  await acme.has({ group: 'Wheel', members: ['ada'] })
  mkdirSync(join(folder, 'source'))
  writeFileSync(
    join(folder, 'source/users.csv'),
    'user_name,email,display_name\nada,ada@example.org,ada\nbob,bob@example.org,Bob\n',
  )
  writeFileSync(join(folder, 'source/groups.csv'), 'group,description\nWheel,\nkubernetes/sig-docs,\n')
  writeFileSync(join(folder, 'source/members.csv'), 'group,user_name\nWheel,bob\nkubernetes/sig-docs,ada\n')
  const env = { MUSTER_TARGET_TOKEN: okta.directory.token }
  const pushed = async () => JSON.parse((await muster(`push source --to ${server.url}/scim/v2 --json`, { env })).stdout)
  expect(await pushed()).toMatchObject({ users: { created: 2, failed: 0 }, groups: { created: 2, failed: 0 }, errors: [] })
  expect(await pushed()).toMatchObject({
    users: { created: 0, updated: 0, linked: 2 },
    groups: { created: 0, updated: 0, unchanged: 2 },
    requests: 3,
  })
  expect(JSON.parse((await muster('directories show okta --json')).stdout)).toMatchObject({
    groups: { received: 2, synced: 1, needsReview: 1 },
  })
  expect(
    await muster(`push source --to ${server.url}/scim/v2`, { env: { MUSTER_TARGET_TOKEN: 'muster_scim_wrong' } }),
  ).toMatchObject({
    exitCode: 4,
    stderr: expect.stringMatching(/^muster: The target does not accept the token/),
  })
  writeFileSync(join(folder, 'source/members.csv'), 'group,user_name\nWheel,nobody\n')
  expect(await muster(`push source --to ${server.url}/scim/v2`, { env })).toMatchObject({
    exitCode: 1,
    stderr:
      'muster: members.csv, line 2: user "nobody" is not in users.csv\nNothing was pushed. Correct the source and push again.\n',
  })
})

test('choices: merge keeps whom the provider does not have, who are listed and dropped; others are renamed or ignored', async ({
  muster,
  acme,
  okta,
}) => {
  await acme.has({ group: 'Crew', members: ['ada', 'bob'] })
  await acme.has({ group: 'Sandbox', members: ['ada'] })
  await okta.knows('ada', 'cyd')
  for (const group of ['Crew', 'Sandbox']) await okta.pushes({ group, members: ['cyd'] })
  for (const choice of ['what', 'link', 'overwrite=Crew'])
    expect(await muster(`sync --all --choice ${choice} --yes`)).toMatchObject({ exitCode: 64, stdout: '' })
  const merged = await muster('sync Crew --choice merge --yes --json')
  expect(JSON.parse(merged.stdout)).toMatchObject({ choice: 'merge', members: { added: 1, removed: 0 } })
  expect((await muster('reviews kept')).stdout).toMatch(/^Crew\tada\tada\t.*\nCrew\tbob\tbob\t.*\n$/)
  expect(JSON.parse((await muster('sync --all --choose Sandbox=rename=Old --yes --json')).stdout)).toMatchObject({
    groups: { synced: 1 },
  })
  expect(await acme.membersOf('Old')).toEqual(['ada'])
  expect(JSON.parse((await muster('sync Crew --drop-kept --person bob --yes --json')).stdout)).toMatchObject({
    kind: 'drop_kept',
    members: { added: 0, removed: 1 },
  })
  expect(await acme.membersOf('Crew')).toEqual(['ada', 'cyd'])
  expect(await muster('sync --all --drop-kept --choice merge --yes')).toMatchObject({ exitCode: 64 })
  expect(await muster('reviews reopen Crew')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is not ignored') })
})

test('link to: a group is overwritten or merged into another one, also as it was planned', async ({ muster, acme, okta }) => {
  for (const group of ['Crew', 'Gang', 'Team', 'Band']) await acme.has({ group, members: ['ada', 'bob'] })
  await okta.knows('ada', 'cyd')
  for (const group of ['Crew', 'Gang']) await okta.pushes({ group, members: ['cyd'] })
  expect(JSON.parse((await muster('sync Crew --choice link=Team --yes --json')).stdout)).toMatchObject({
    members: { added: 1, removed: 2 },
  })
  expect(await acme.membersOf('Team')).toEqual(['cyd'])
  await muster('reviews plan --all --choose Gang=merge=Band -o plan.json')
  expect(JSON.parse((await muster('sync --plan plan.json --yes --json')).stdout)).toMatchObject({
    members: { added: 1, removed: 0 },
  })
  expect(await acme.membersOf('Band')).toEqual(['ada', 'bob', 'cyd'])
  expect(await acme.membersOf('Gang')).toEqual(['ada', 'bob'])
})

test('what a run left out is synced again, after it was shown; its report is a file', async ({ muster, acme, okta }) => {
  await twoReviews(acme, okta)
  await acme.has({ group: 'Emptied', members: ['bob'] })
  await okta.pushes({ group: 'Emptied', members: [] })
  const first = await muster('sync --all --yes --json')
  expect(first.exitCode).toBe(3)
  const { id } = JSON.parse(first.stdout)
  expect((await muster(`runs show ${id} --csv`)).stdout).toMatch(
    /^group,id,choice,result,.*\r\n(.*\r\n)*Emptied,[^,]+,overwrite,skipped,empty,/,
  )
  expect((await muster(`runs retry ${id} --dry-run --accept-empty`)).stdout).toContain('Pushed empty, all members go: Emptied.')
  expect(await acme.membersOf('Emptied')).toEqual(['bob'])
  const again = await muster(`runs retry ${id} --accept-empty --json`)
  expect(JSON.parse(again.stdout)).toMatchObject({ retryOf: id, groups: { total: 1, synced: 1 } })
  expect(await acme.membersOf('Emptied')).toEqual([])
  expect((await muster(`runs show ${id}`)).stdout).toContain(
    `What it left out was tried again: run ${JSON.parse(again.stdout).id}`,
  )
  expect(await muster(`runs retry ${id}`)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('can be synced now') })
})
