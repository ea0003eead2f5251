import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from './browser.ts'

const root = join(import.meta.dirname, '../..')
const expected = JSON.parse(readFileSync(join(root, 'sample/kubernetes-org/expected.json'), 'utf8'))

test('667 groups are reviewed in a browser: the harmless in one click, the worst looked at and merged, the rest synced, and undone', async ({
  visitor: { page, opens, isAccessible },
  api,
}) => {
  const button = (name: string | RegExp) => page.getByRole('button', { name })
  await opens('/directories/okta/review')
  await page.getByRole('heading', { name: `${expected.needs_review} groups need review` }).waitFor()
  const { body: all } = await api('POST', '/directories/okta/reviews/selections', { preset: 'all' })
  const { access } = all.effect
  expect(access).toMatchObject({ lost: expected.sync_all.access_lost, gained: expected.sync_all.access_gained })

  // Each quick set has the figures that an independent computation has.
  const sets = page.getByRole('group', { name: /Quick sets/ }).getByRole('button')
  await expect.poll(() => sets.allInnerTexts().then((texts) => texts.join(' ')), { timeout: 15_000 }).not.toContain('…')
  const told = (await sets.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '))
  expect(told).toEqual([
    `${expected.without_member_changes} No member change links the group, changes nothing else`,
    `${expected.no_access_effect.groups} No access effect −0 +0 accesses, nobody loses`,
    `${expected.takes_nothing.groups} Takes nothing −0 +${expected.takes_nothing.access_gained} accesses, nobody loses`,
    expect.stringContaining(`${expected.single_reviews.groups_losing} Takes access −${expected.single_reviews.access_lost}`),
    `${expected.needs_review} All −${access.lost} +${access.gained} accesses, ${access.peopleLosing} people lose`,
  ])
  const effect = page.getByRole('complementary', { name: 'Effect' })
  await effect.getByText(`${access.peopleLosing} people lose ${access.lost} accesses`).waitFor()
  await effect.getByText(`${expected.joint_losses} accesses vanish only together`).waitFor()
  for (const { site, role, lost } of all.effect.matrix.filter((cell: { lost: number }) => cell.lost > 50))
    expect(await effect.getByRole('button', { name: new RegExp(`^${site} ${role}: −${lost} `) }).count(), `${site} ${role}`).toBe(
      1,
    )
  expect(await page.evaluate(gzippedScripts), 'bytes of JavaScript of the first page').toBeLessThan(320_000)
  await isAccessible()

  // Two clicks from the open review to all that is harmless being synced.
  await button(/No access effect/).click()
  await button(`Sync ${expected.no_access_effect.groups} groups`).click()
  await page.waitForURL(/\/runs\//)
  await page.getByText('Can be undone').waitFor()
  // One group was pushed empty over its one member: that always needs a word of its own.
  await page.getByText('430 of 431 groups synced').waitFor()
  await button('Retry 1 skipped').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('checkbox').check()
  await dialog.getByRole('button', { name: 'Sync 1 group' }).click()
  await page.getByRole('heading', { name: 'Sync 1 group', exact: true }).waitFor()
  await page.getByText('1 of 1 group synced').waitFor()
  await isAccessible()

  // The worst group, person by person.
  await opens('/directories/okta/review')
  await page.getByRole('heading', { name: '236 groups need review' }).waitFor()
  await page.getByRole('row').nth(1).getByRole('link').click()
  await page.getByRole('heading', { name: 'kubernetes/milestone-maintainers' }).waitFor()
  const { body: worst } = await api('GET', `/reviews/${encodeURIComponent('kubernetes/milestone-maintainers')}`)
  await page.getByText(`${worst.access.peopleLosing} people lose ${worst.access.lost} accesses`).waitFor()
  await button(`Removed, loses ${worst.access.peopleLosing}`).click()
  await page.getByRole('rowheader').first().waitFor()
  await isAccessible()
  await page.getByRole('radio', { name: 'Merge' }).click()
  await page.getByText('Nobody loses access and').waitFor()
  await button('Merge group').click()
  // The next group opens by itself.
  await page.getByRole('heading', { name: 'kubernetes/release-team-leads' }).waitFor()

  // All that is left takes access: said in figures, and the number typed.
  await opens('/directories/okta/review')
  await page.getByRole('heading', { name: '235 groups need review' }).waitFor()
  const { body: rest } = await api('POST', '/directories/okta/reviews/selections', { preset: 'all' })
  await button('Sync all groups').click()
  await button('Sync 235 groups').click()
  const question = page.getByRole('dialog', {
    name: `Sync 235 groups and take access from ${rest.effect.access.peopleLosing} people?`,
  })
  await question.getByText(`−${rest.effect.access.lost}`).waitFor()
  await isAccessible()
  const deed = question.getByRole('button', { name: 'Sync 235 groups' })
  expect(await deed.isDisabled()).toBe(true)
  await question.getByRole('textbox').fill(String(rest.effect.access.peopleLosing))
  await deed.click()
  await page.waitForURL(/\/runs\//)
  await page.getByText('235 of 235 groups synced').waitFor()
  const { body: runs } = await api('GET', '/runs?limit=1')
  const [run] = runs.items
  expect(run.access).toMatchObject(figuresOf(rest.effect.access))
  const happened = await page.getByRole('row', { name: /^Accesses lost/ }).innerText()
  expect(happened.split(/\s+/).slice(-2)).toEqual([`−${run.access.lost}`, `−${run.access.lost}`])

  // And back: an undo is a review of its own.
  await page.getByRole('link', { name: 'Undo run' }).click()
  const { body: undo } = await api('GET', `/runs/${run.id}/undo`)
  expect(undo.effect.access.gained).toBe(run.access.lost)
  await page.getByText(`${undo.effect.access.peopleLosing} people lose ${undo.effect.access.lost} accesses`).waitFor()
  await isAccessible()
  await page.getByRole('textbox').fill(String(undo.effect.access.peopleLosing))
  await button('Undo 235 groups').click()
  await page.getByRole('heading', { name: 'Put back 235 groups' }).waitFor()
  await page.getByText('235 of 235 groups synced').waitFor()
})

// A script that is preloaded has two entries.
const gzippedScripts = () =>
  [
    ...new Map(
      (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
        .filter(({ name }) => name.endsWith('.js'))
        .map(({ name, encodedBodySize }) => [name, encodedBodySize]),
    ).values(),
  ].reduce((sum, bytes) => sum + bytes, 0)

const figuresOf = ({ lost, gained, peopleLosing, peopleGaining }: Record<string, number>) => ({
  lost,
  gained,
  peopleLosing,
  peopleGaining,
})

test('two admins at once: what changed meanwhile is shown, nothing is synced, and the rest can be', async ({
  visitor: { page, opens, isAccessible },
  api,
}) => {
  await opens('/directories/okta/review?q=porche')
  const row = (name: string) => page.getByRole('row', { name: new RegExp(name) })
  await row('porche-maintainers').getByRole('checkbox').check()
  await row('porche-writers').getByRole('checkbox').check()
  await page.getByText('4 accesses look safe group by group').waitFor()
  await page.getByRole('button', { name: 'Sync 2 groups' }).click()
  const dialog = page.getByRole('dialog', { name: 'Sync 2 groups and take access from 4 people?' })
  await dialog.waitFor()
  // Somebody else gives one of them another access.
  const grant = { group: 'kubernetes-sigs/porche-writers', site: 'kubernetes-sigs', product: 'another', role: 'write' }
  expect((await api('POST', '/grants', grant)).status).toBeLessThan(300)
  await dialog.getByRole('button', { name: 'Sync 2 groups' }).click()
  const changed = page.getByRole('dialog', { name: /changed while you were looking. Nothing was synced/ })
  await changed.waitFor()
  await changed.getByRole('rowheader', { name: 'porche-writers' }).waitFor()
  await isAccessible()
  await changed.getByRole('button', { name: 'Leave it out' }).click()
  await page.getByText('1 selected').waitFor()
  expect((await api('GET', '/runs?limit=1')).body.total).toBe(0)
})

test('the keyboard alone suffices; a push moves no row; who may not, and who is signed out, is told', async ({
  visitor: { page, opens },
  sample,
  scim,
  api,
  signsIn,
}) => {
  await opens('/directories/okta/review')
  await page.getByRole('link', { name: 'milestone-maintainers' }).waitFor()
  await page.keyboard.press('j')
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.textContent), { timeout: 5_000 })
    .toContain('milestone-maintainers')
  await page.keyboard.press('x')
  await page.getByRole('button', { name: 'Sync 1 group' }).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await page.getByRole('button', { name: 'Sync 2 groups' }).waitFor()
  await page.keyboard.press('s')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('accesses lost').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })

  // Okta pushes meanwhile: a number says so, and nothing moves.
  const headers = { token: sample.token }
  const group = (
    await scim(
      'GET',
      '/Groups?filter=displayName%20eq%20%22kubernetes%2Frelease-team%22&excludedAttributes=members',
      undefined,
      headers,
    )
  ).body.Resources[0]
  const newcomer = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'newcomer', active: true }
  const { body: person } = await scim('POST', '/Users', newcomer, headers)
  const pushed = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'add', path: 'members', value: [{ value: person.id }] }],
  }
  expect((await scim('PATCH', `/Groups/${group.id}`, pushed, headers)).status).toBe(204)
  await page.getByText('changed since you opened this list').waitFor()
  expect(await page.getByRole('row').nth(1).innerText()).toContain('milestone')

  await page.keyboard.press('k')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'kubernetes/milestone-maintainers' }).waitFor()
  await page.keyboard.press('2')
  await page.getByRole('button', { name: 'Merge group' }).waitFor()
  await page.keyboard.press(']')
  await page.getByRole('heading', { name: 'kubernetes/release-team-leads' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('row').nth(1).waitFor()

  // Signed out elsewhere, the same place is come back to.
  const at = page.url()
  const { items } = (await api('GET', '/sessions?everybody=true')).body
  for (const { id } of items) await api('DELETE', `/sessions/${id}`)
  await page.goto(at)
  await page.waitForURL(/\/sign-in/)
  expect(new URL(page.url()).searchParams.get('to')).toContain('/directories/okta/review')

  const auditor = await signsIn('ann@example.org', 'auditor')
  await auditor.opens('/directories/okta/review?q=porche-writers')
  await auditor.page.getByRole('checkbox', { name: /porche-writers/ }).check()
  await auditor.page.getByText('Your role (auditor) reads only.').waitFor()
  expect(await auditor.page.getByRole('button', { name: 'Sync 1 group' }).isDisabled()).toBe(true)
  await auditor.page.goto('/o/somebody-else/runs')
  await auditor.page.getByRole('heading', { name: 'This page belongs to another organization' }).waitFor()
})
