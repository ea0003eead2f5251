import { sql } from 'kysely'
import { newId } from '../../src/database/ids.ts'
import { reading } from '../../src/database/transaction.ts'
import { expect, test } from '../support/story.ts'

type Ids = Record<string, string>

test('on every route a foreign id and a missing one are the same answer, byte for byte', async ({
  acme,
  api,
  db,
  okta,
  org,
  second,
  server,
}) => {
  await acme.has({ group: 'Sales', members: ['ada'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'Free', members: ['ada'] })
  const theirs = await reading(db, second, async (reader) => {
    const { rows } = await sql<Ids>`
      select (select id from directories) as directory, (select id from groups limit 1) as "group", (select account_id from admins) as person,
        (select id from runs) as run, (select id from scim_requests) as request, (select id from api_tokens) as token, (select id from sessions) as session, (select id from product_roles limit 1) as role, (select id from push_sources) as source, (select id from push_targets) as target, (select id from push_rules) as rule, (select id from push_mappings) as mapping, (select id from push_plans) as plan,
        (select id from provisioned_groups) as pushed, (select id from provisioned_users limit 1) as "user", (select id::text from log_entries) as entry,
        (select id from reconciliations) as list, (select id from webhooks) as webhook,
        (select id from notice_deliveries) as delivery, (select id from sign_in_providers) as provider,
        (select id from passkeys) as passkey, gen_random_uuid() as code`.execute(reader)
    return rows[0] ?? {}
  })
  const document = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>
  }
  const mine: Ids = { directory: okta.directory.id, group: 'Sales' }
  let asked = 0

  for (const [path, methods] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
    // Each parameter in turn is foreign, then missing; those before it are the organization's own.
    for (const [at, name] of names.entries()) {
      if (names.slice(0, at).some((before) => mine[before] === undefined)) continue
      const foreign = path.startsWith('/api/v1/reviews/') ? theirs.pushed : theirs[name]
      const url = (id: string) =>
        names.reduce(
          (text, each, index) => text.replace(`{${each}}`, index < at ? (mine[each] ?? '') : index === at ? id : newId()),
          path,
        )
      for (const method of Object.keys(methods)) {
        const answerTo = async (id: string) => {
          const answer = await api(
            method.toUpperCase(),
            `${server.url}${url(id)}`,
            ['get', 'delete'].includes(method) ? undefined : {},
            { headers: { origin: server.url } },
          )
          const headers = [...answer.headers].filter(([header]) => !['date', 'x-request-id', 'content-length'].includes(header))
          return { status: answer.status, headers, body: JSON.stringify(answer.body) }
        }
        const missing = await answerTo(newId())
        expect(foreign, `${method} ${path} {${name}}`).toMatch(/^[0-9a-f-]{36}$|^\d+$/)
        expect(await answerTo(foreign ?? ''), `${method} ${path} {${name}}`).toEqual(missing)
        // 400: the route wants more than a path, and says so before it looks.
        expect([400, 404], `${method} ${path} {${name}}`).toContain(missing.status)
        asked++
      }
    }
  }
  expect(asked).toBeGreaterThan(20)
  expect(org.id).not.toBe(second.orgId)
})
