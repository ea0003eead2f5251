import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Pool } from 'pg'
import { groups, people, personId, personKey, personOf } from '../scim/population.ts'
import { peer } from './peer.ts'

// Polis (BoxyHQ SAML Jackson) as its own service has it: what comes in over HTTP goes to the directory sync controller, and its store is
// PostgreSQL. Nothing is slower than it need be: events go nowhere, values are not encrypted, no analytics.

interface Directory {
  id: string
  scim: { secret: string }
}
interface Asked {
  method: string
  directoryId: string
  resourceType: string
  resourceId?: string
  apiSecret: string
  body: object | undefined
  query: { count?: number; startIndex?: number; filter?: string }
}
interface Jackson {
  controllers(options: object): Promise<{
    directorySyncController: {
      directories: {
        create(given: { tenant: string; product: string; type: string }): Promise<{ data: Directory | null }>
        getByTenantAndProduct(tenant: string, product: string): Promise<{ data: Directory[] | null }>
      }
      requests: { handle(asked: Asked, told: () => Promise<void>): Promise<{ status: number; data: unknown }> }
    }
  }>
}

const { connection } = JSON.parse(process.argv[2] ?? '{}')
const { host, port, user, database } = connection
const url = `postgres://${user}@localhost/${database}?host=${host}&port=${port}`
const { controllers } = await peer<Jackson>('@boxyhq/saml-jackson')
const silent = () => {}
const { directorySyncController } = await controllers({
  externalUrl: 'http://127.0.0.1',
  samlPath: '/saml',
  noAnalytics: true,
  logger: { info: silent, warn: silent, error: console.error },
  // A page of a hundred, as the others have: by itself it gives fifty at most.
  db: { engine: 'sql', type: 'postgres', url, pageLimit: 100 },
})

const tenant = 'bench'
const product = 'muster'
const { directories } = directorySyncController
const former = (await directories.getByTenantAndProduct(tenant, product)).data?.[0]
const directory = former ?? (await directories.create({ tenant, product, type: 'okta-scim-v2' })).data
if (directory === null) throw new Error('Polis made no directory.')
if (former === undefined) await seed(directory.id)

const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
  const [resourceType = '', resourceId] = pathname.slice('/scim/v2/'.length).split('/')
  const number = (name: string) => (searchParams.has(name) ? { [name]: Number(searchParams.get(name)) } : {})
  const filter = searchParams.get('filter')
  const text = (await Array.fromAsync(request as AsyncIterable<Buffer>)).map(String).join('')
  const { status, data } = await directorySyncController.requests.handle(
    {
      method: request.method ?? 'GET',
      directoryId: directory.id,
      resourceType,
      ...(resourceId === undefined ? {} : { resourceId }),
      apiSecret: directory.scim.secret,
      body: text === '' ? undefined : JSON.parse(text),
      query: { ...number('count'), ...number('startIndex'), ...(filter === null ? {} : { filter }) },
    },
    async () => {},
  )
  const body = JSON.stringify(data)
  response.writeHead(status, { 'content-type': 'application/scim+json', 'content-length': Buffer.byteLength(body) }).end(body)
}
const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
}).listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.(`http://127.0.0.1:${address.port}`)
})

/** The population in its tables, as its own code writes them: by its API it would take a quarter of an hour. */
async function seed(directoryId: string): Promise<void> {
  const digest = (key: string) => createHash('ripemd160').update(key).digest('hex')
  const space = (kind: string) => `dsync:${kind}:${tenant}:${product}`
  const stored: { namespace: string; key: string; value: object; indexes: Record<string, string> }[] = []
  for (let n = 0; n < people; n++) {
    const { name, ...person } = personOf(personKey(n))
    const id = personId(n)
    stored.push({
      namespace: space('users'),
      key: id,
      value: {
        id,
        first_name: name.givenName,
        last_name: name.familyName,
        email: person.userName,
        active: true,
        raw: { ...person, name, id },
      },
      indexes: { directoryIdUsername: `${directoryId}:${person.userName}`, directoryId },
    })
  }
  for (const { id, name, from, size } of groups) {
    stored.push({
      namespace: space('groups'),
      key: id,
      value: { id, name, raw: { displayName: name, members: [], id } },
      indexes: { directoryIdDisplayname: `${directoryId}:${name}`, directoryId },
    })
    for (let n = from; n < from + size; n++) {
      const key = `${id}:${personId(n)}`
      stored.push({
        namespace: space('members'),
        key: digest(key),
        value: { id: digest(key), group_id: id, user_id: personId(n) },
        indexes: { groupId: id },
      })
    }
  }
  const rows = stored.map(({ namespace, key, value, indexes }) => ({
    namespace,
    key: `${namespace}:${digest(key)}`,
    value: JSON.stringify(value),
    indexes: Object.entries(indexes).map(([name, value]) => `${namespace}:${name}:${digest(value)}`),
  }))
  const pool = new Pool(connection)
  for (let from = 0; from < rows.length; from += 50_000) {
    await pool.query(
      `with given as materialized (select * from jsonb_to_recordset($1::jsonb) as r(namespace text, key text, value text, indexes text[])),
        stored as (insert into jackson_store (key, value, namespace) select key, value, namespace from given)
        insert into jackson_index (key, "storeKey") select unnest(indexes), key from given`,
      [JSON.stringify(rows.slice(from, from + 50_000))],
    )
  }
  await pool.query('vacuum analyze')
  await pool.end()
}
