import fastify from 'fastify'
import { Pool } from 'pg'
import { v7 } from 'uuid'

// What a server is measured against: the same HTTP server and driver, one prepared statement a request on the same rows with the same
// indexes; no token, no rules, no log, no second truth. Members are answered by their ids alone.

const { connection, orgId, directoryId } = JSON.parse(process.argv[2] ?? '{}')
const pool = new Pool({ ...connection, max: 10 })
await pool.query('create table if not exists bare_memberships (like memberships including indexes)')

const names = new Map<string, string>()
async function ask<Row>(text: string, ...values: unknown[]): Promise<Row[]> {
  const name = names.get(text) ?? `s${names.size}`
  names.set(text, name)
  return (await pool.query({ name, text, values: [orgId, ...values] })).rows
}

interface ById {
  Params: { id: string }
}
interface User {
  id: string
  user_name: string
  external_id: string
  active: boolean
  attributes: object
}
interface Member {
  value: string
}
interface Patch {
  Operations: { op: string; path: string; value?: Member[] }[]
}

const userColumns = 'id, user_name, external_id, active, attributes'
const userOf = ({ id, user_name, external_id, active, attributes }: User) => ({
  id,
  externalId: external_id,
  ...attributes,
  userName: user_name,
  active,
})

const app = fastify({ bodyLimit: 32 * 1024 * 1024 })
app.addContentTypeParser('application/scim+json', { parseAs: 'string' }, (_request, body, done) =>
  done(null, JSON.parse(body as string)),
)

app.post<{ Body: { userName: string; externalId: string; active: boolean } }>('/scim/v2/Users', async (request, reply) => {
  const { userName, externalId, active, ...attributes } = request.body
  const [user] = await ask<User>(
    `insert into bare_users (org_id, id, directory_id, user_name, user_name_key, email_key, external_id, active, attributes, account_id, matched_by, state)
      values ($1, $2, $3, $4, $4, $4, $5, $6, $7, $2, 'created', 'synced') returning ${userColumns}`,
    v7(),
    directoryId,
    userName,
    externalId,
    active,
    JSON.stringify(attributes),
  )
  return reply.code(201).send(user && userOf(user))
})

app.get<{ Querystring: { filter?: string; startIndex?: string; count?: string } }>('/scim/v2/Users', async (request) => {
  const { filter, startIndex, count } = request.query
  const [total, users] =
    filter === undefined
      ? await page(Number(startIndex) - 1, Number(count))
      : await named(/^userName eq "(.*)"$/.exec(filter)?.[1] ?? '')
  return { totalResults: total, Resources: users.map(userOf) }
})
async function page(offset: number, limit: number): Promise<[number, User[]]> {
  const users = await ask<User & { total: number }>(
    `select ${userColumns}, (select count(*)::integer from bare_users where org_id = $1 and directory_id = $2) as total
      from bare_users where org_id = $1 and directory_id = $2 order by id limit $3 offset $4`,
    directoryId,
    limit,
    offset,
  )
  return [users[0]?.total ?? 0, users]
}
async function named(userName: string): Promise<[number, User[]]> {
  const users = await ask<User>(
    `select ${userColumns} from bare_users where org_id = $1 and directory_id = $2 and user_name_key = $3`,
    directoryId,
    userName.toLowerCase(),
  )
  return [users.length, users]
}

app.get<ById>('/scim/v2/Users/:id', async (request) => {
  const [user] = await ask<User>(`select ${userColumns} from bare_users where org_id = $1 and id = $2`, request.params.id)
  return user && userOf(user)
})

app.post<{ Body: { displayName: string } }>('/scim/v2/Groups', async (request, reply) => {
  const { displayName } = request.body
  const [group] = await ask(
    `insert into bare_groups (org_id, id, directory_id, name, name_key, group_id, state)
      values ($1, $2, $3, $4, $4, $2, 'synced') returning id, name as "displayName"`,
    v7(),
    directoryId,
    displayName,
  )
  return reply.code(201).send(group)
})

app.get<ById & { Querystring: { excludedAttributes?: string } }>('/scim/v2/Groups/:id', async (request) => {
  const members =
    request.query.excludedAttributes === 'members'
      ? ''
      : `, (select json_agg(json_build_object('value', account_id)) from bare_memberships where org_id = $1 and group_id = $2 and pushed) as members`
  const [group] = await ask(
    `select id, name as "displayName"${members} from bare_groups where org_id = $1 and id = $2`,
    request.params.id,
  )
  return group
})

app.patch<ById & { Body: Patch }>('/scim/v2/Groups/:id', async (request, reply) => {
  const { id } = request.params
  for (const { op, path, value } of request.body.Operations) {
    const members = value?.map((member) => member.value) ?? [/"(.*)"/.exec(path)?.[1] ?? '']
    if (op === 'replace') await replace(id, members)
    else if (members.length > 1) await addAll(id, members)
    else await upsert(id, members[0], op === 'add')
  }
  return reply.code(204).send()
})

const upsert = (groupId: string, member: string | undefined, isMember: boolean) =>
  ask(
    `insert into bare_memberships (org_id, group_id, account_id, pushed, effective, since) values ($1, $2, $3, $4, $4, now())
      on conflict (org_id, group_id, account_id) do update set pushed = excluded.pushed, effective = excluded.effective`,
    groupId,
    member,
    isMember,
  )
const addAll = (groupId: string, members: string[]) =>
  ask(
    `insert into bare_memberships (org_id, group_id, account_id, pushed, effective, since)
      select $1, $2, id, true, true, now() from unnest($3::uuid[]) id
      on conflict (org_id, group_id, account_id) do update set pushed = excluded.pushed, effective = excluded.effective`,
    groupId,
    members,
  )
const replace = (groupId: string, members: string[]) =>
  ask(
    `with given as materialized (select unnest($3::uuid[]) as id),
      removed as (
        delete from bare_memberships where org_id = $1 and group_id = $2 and not exists (select from given where given.id = account_id)
      )
      insert into bare_memberships (org_id, group_id, account_id, pushed, effective, since)
      select $1, $2, id, true, true, now() from given on conflict do nothing`,
    groupId,
    members,
  )

process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
