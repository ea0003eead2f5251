import { randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import { groups, people, personId, personKey, personOf } from '../scim/population.ts'
import { peer } from './peer.ts'

// SCIMMY 1.3 behind its own routers, all in memory: maps by id and by name, a group's members an array, as its engine hands them over.
// Nothing is slower than it need be: equality by name is a look-up, a page is cut before SCIMMY makes resources of it.

interface Stored {
  id: string
  meta: { created: Date; lastModified: Date }
  userName?: string
  displayName?: string
}
interface Asked {
  id?: string
  filter?: { match(list: Stored[]): Stored[] } & Record<string, [operator: string, value: string]>[]
  constraints?: { startIndex?: number; count?: number; totalResults?: number }
}
type Handlers = {
  ingress(asked: Asked, data: Partial<Stored>): Stored
  egress(asked: Asked): Stored | Stored[]
  degress(asked: Asked): void
}
interface Scimmy {
  Resources: { User: unknown; Group: unknown; declare(resource: unknown, handlers: Handlers): void }
  Types: { Error: new (status: number, type: string | null, message: string) => Error }
  Config: { set(config: object): void }
}

const { default: SCIMMY } = await peer<{ default: Scimmy }>('scimmy')
const { default: Routers } = await peer<{ default: new (auth: object) => unknown }>('scimmy-routers')
const { default: express } = await peer<{ default: () => RequestListener & { use(path: string, router: unknown): void } }>(
  'express',
)

function store(name: 'userName' | 'displayName', seeded: Stored[]): Handlers {
  const byId = new Map(seeded.map((one) => [one.id, one]))
  const byName = new Map(seeded.map((one) => [one[name]?.toLowerCase(), one]))
  const found = (id: string): Stored => {
    const one = byId.get(id)
    if (one === undefined) throw new SCIMMY.Types.Error(404, null, `Resource ${id} not found`)
    return one
  }
  return {
    ingress({ id }, data) {
      const former = id === undefined ? undefined : found(id)
      const key = data[name]?.toLowerCase()
      const namesake = byName.get(key)
      if (namesake !== undefined && namesake !== former) throw new SCIMMY.Types.Error(409, 'uniqueness', `${name} is taken`)
      const now = new Date()
      const one = { ...data, id: id ?? randomUUID(), meta: { created: former?.meta.created ?? now, lastModified: now } }
      if (former !== undefined && former[name] !== data[name]) byName.delete(former[name]?.toLowerCase())
      byId.set(one.id, one)
      byName.set(key, one)
      return one
    },
    egress({ id, filter, constraints }) {
      if (id !== undefined) return found(id)
      const [operator, value] = (filter?.length === 1 && filter[0]?.[name]) || []
      if (operator === 'eq' && value !== undefined) return [byName.get(value.toLowerCase())].filter((one) => one !== undefined)
      if (filter !== undefined) return filter.match([...byId.values()])
      if (constraints === undefined) return [...byId.values()]
      constraints.totalResults = byId.size
      const from = (constraints.startIndex ?? 1) - 1
      return [
        ...byId
          .values()
          .drop(from)
          .take(constraints.count ?? 20),
      ]
    },
    degress({ id }) {
      if (id === undefined) return
      byName.delete(found(id)[name]?.toLowerCase())
      byId.delete(id)
    },
  }
}

const now = new Date()
const meta = { created: now, lastModified: now }
const members = ({ from, size }: { from: number; size: number }) =>
  Array.from({ length: size }, (_, n) => ({ value: personId(from + n), display: `${personKey(from + n)}@example.org` }))
SCIMMY.Resources.declare(
  SCIMMY.Resources.User,
  store(
    'userName',
    Array.from({ length: people }, (_, n) => ({ id: personId(n), meta, ...personOf(personKey(n)) })),
  ),
)
SCIMMY.Resources.declare(
  SCIMMY.Resources.Group,
  store(
    'displayName',
    groups.map((group) => ({ id: group.id, meta, displayName: group.name, members: members(group) })),
  ),
)
// Its limit for any body: 10,000 members in one are more than its first 1 MiB.
SCIMMY.Config.set({ bulk: { supported: true, maxPayloadSize: 32 * 1024 * 1024, maxOperations: 1_000 } })

const app = express()
app.use('/scim/v2', new Routers({ type: 'bearer', handler: () => 'bench' }))
const server = createServer(app).listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.(`http://127.0.0.1:${address.port}`)
})
