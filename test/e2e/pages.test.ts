import { sql } from 'kysely'
import { expect, test } from './browser.ts'

const schemas = (kind: string) => [`urn:ietf:params:scim:schemas:core:2.0:${kind}`]

test('every page says what it is, lists what the API lists, and is accessible in both themes', async ({
  visitor: { page, opens, isAccessible },
  api,
}) => {
  const total = async (path: string) => (await api('GET', path)).body.total.toLocaleString('en-US')
  const [group] = (await api('GET', '/groups?search=porche-writers')).body.items
  const [person] = (await api('GET', '/people?search=bentheelder')).body.items
  const [role] = (await api('GET', '/roles?limit=1')).body.items
  const pages: [path: string, heading: string | RegExp, shows?: string | RegExp][] = [
    ['/directories', 'Directories', /of 675 groups/],
    ['/directories/okta', 'okta', '675 groups could not be synced'],
    ['/directories/okta/groups', 'okta', `${await total('/directories/okta/provisioned-groups?limit=1')} groups`],
    ['/directories/okta/groups?state=blocked', 'okta', '8 groups'],
    ['/directories/okta/users', 'okta', `${await total('/directories/okta/provisioned-users?limit=1')} users`],
    ['/directories/okta/people', 'okta', /people$/],
    ['/directories/okta/held', 'okta', 'No removal waits.'],
    ['/directories/okta/requests', 'okta', 'No request yet.'],
    ['/directories/okta/reconcile', 'okta', 'No list was compared yet.'],
    ['/directories/okta/settings', 'okta', 'What it does with what is pushed'],
    ['/directories/new', 'Connect a directory', 'Which provider pushes into it?'],
    ['/groups', 'Groups', `${await total('/groups?limit=1')} groups`],
    [`/groups/${group.id}`, 'kubernetes-sigs/porche-writers', `${group.memberCount} members`],
    [`/groups/${group.id}?tab=history`, 'kubernetes-sigs/porche-writers'],
    ['/people', 'People', `${await total('/people?limit=1')} people`],
    [
      `/people/${person.id}?why=kubernetes-sigs%2Fporche%2Fwrite`,
      person.displayName ?? person.userName,
      'If all that waits were synced: through 0',
    ],
    ['/access', 'Access', `${await total('/roles?limit=1')} roles`],
    [`/access/${role.id}`, `${role.site} · ${role.product} · ${role.role}`],
    ['/audit', 'Audit', 'Download all'],
    ['/approvals', 'Approvals', 'Nothing waits for you.'],
    ['/settings', 'Settings', 'A second person for what takes access from many'],
    ['/settings/tokens', 'Settings', 'Make a token'],
  ]
  for (const [path, heading, shows] of pages) {
    await opens(path)
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
    if (shows !== undefined) await page.getByText(shows).first().waitFor()
    await expect.poll(() => page.locator('[aria-busy="true"], [aria-label="Loading"]').count()).toBe(0)
    await isAccessible()
  }
}, 240_000)

test('a directory is connected in three steps, and its first request, user and group show as they come', async ({
  visitor: { page, opens },
  server,
  api,
}) => {
  expect((await api('POST', '/groups', { name: 'Waiting here' })).status).toBe(201)
  await opens('/directories/new')
  await page.getByRole('radio', { name: 'Microsoft Entra ID' }).check()
  await page.getByRole('textbox', { name: 'Name' }).fill('entra')
  await page.getByRole('button', { name: 'Make the directory' }).click()
  const token = await page.getByRole('textbox', { name: 'Secret Token' }).inputValue()
  expect(await page.getByRole('textbox', { name: 'Tenant URL' }).inputValue()).toBe(`${server.url}/scim/v2`)
  await page.getByText('cannot reach this address').waitFor()
  await page.getByRole('checkbox', { name: 'I have stored the token' }).check()
  await page.getByRole('button', { name: 'Wait for the first request' }).click()
  await page.getByText('Waiting for the first request…').waitFor()

  const scim = (method: string, path: string, body?: object) =>
    fetch(`${server.url}/scim/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  expect((await scim('GET', '/Users?filter=userName eq "nobody"')).status).toBe(200)
  await page.getByText('Microsoft Entra ID reached Muster').waitFor()
  expect((await scim('POST', '/Users', { schemas: schemas('User'), userName: 'zoe@example.org' })).status).toBe(201)
  await page.getByText('1 user', { exact: true }).waitFor()
  expect((await scim('POST', '/Groups', { schemas: schemas('Group'), displayName: 'Waiting here' })).status).toBe(201)
  await page.getByText(/^1 group, 1 needs review$/).waitFor()
  await page.getByRole('button', { name: 'Review groups' }).click()
  await page.waitForURL(/\/directories\/entra\/review/)
})

test('removals that wait are allowed in the browser, after what they take was shown', async ({
  visitor: { page, opens },
  api,
  scim,
  inOrg,
}) => {
  const { token } = (await api('POST', '/directories/okta/tokens', {})).body
  const okta = async (method: string, path: string, body: object) => {
    const answer = await scim(method, path, body, { token })
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    return answer.body
  }
  const names = Array.from({ length: 12 }, (_, at) => `held${at}@example.org`)
  const users = await Promise.all(names.map((userName) => okta('POST', '/Users', { schemas: schemas('User'), userName })))
  const members = users.map(({ id }) => ({ value: id }))
  const { id } = await okta('POST', '/Groups', { schemas: schemas('Group'), displayName: 'Held here', members })
  // The people came more than an hour ago.
  await inOrg((trx) => sql`update groups set recent = '{}' where org_id = ${trx.orgId} and name = 'Held here'`.execute(trx))
  await okta('PATCH', `/Groups/${id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'members', value: members.slice(0, 2) }],
  })
  await opens('/directories/okta/held')
  await page.getByRole('checkbox', { name: 'Select Held here' }).waitFor()
  await page.getByText('Nobody loses or gains access.').waitFor()
  await page.getByRole('button', { name: 'Allow the removal' }).click()
  await page.waitForURL(/\/runs\//)
  await expect.poll(async () => (await api('GET', '/groups?search=Held')).body.items[0].memberCount).toBe(2)
})
