import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ProfileName } from '../../src/push/target/profile.ts'
import { type ScimTarget, scimTarget } from '../../src/push/target/scim-target.ts'

/** What goes wrong with a request: before the service acted on it, or after. */
export type Fault = '429' | '503' | '500 before' | '500 after' | 'cut before' | 'cut after' | Answer
/** An answer in place of the right one. */
export interface Answer {
  status: number
  body: string
  headers?: Record<string, string>
  /** Whether the service acted all the same. */
  acts?: true
}

export interface Resource {
  id: string
  [attribute: string]: unknown
}
interface Received {
  method: string
  path: string
  userAgent: string | undefined
  contentType: string | undefined
  body: Record<string, unknown>
}
interface Member {
  value: string
  display?: string
}

/** A small strict SCIM service over real HTTP that keeps what it is sent, and fails as told. */
export interface TinyScimService {
  target: ScimTarget
  url: string
  users: Resource[]
  groups: Resource[]
  received: Received[]
  /** What it says of itself; undefined: 404. */
  config: Record<string, unknown> | undefined
  /** Whether lists show members, and GET by id. */
  showsMembers: 'always' | 'one by one' | 'never'
  /** How many members a PATCH may have at most. */
  mostMembers: number
  /** The next requests with this method go wrong, one by one. */
  willFail(method: string, ...faults: Fault[]): void
  /** Asked for every request, after those of `willFail`. */
  faultOf: (method: string, path: string) => Fault | undefined
  /** User names in each group, by its name. */
  members(): Record<string, string[]>
  open(profile?: ProfileName): ScimTarget
  stop(): Promise<void>
}

export const token = 'the right token'

export async function startTinyScimService(): Promise<TinyScimService> {
  const users: Resource[] = []
  const groups: Resource[] = []
  const received: Received[] = []
  const faults = new Map<string, Fault[]>()
  let made = 0
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    received.push({
      method: request.method ?? '',
      path: request.url ?? '',
      userAgent: request.headers['user-agent'],
      contentType: request.headers['content-type'],
      body,
    })
    const fault = faults.get(request.method ?? '')?.shift() ?? service.faultOf(request.method ?? '', request.url ?? '')
    if (fault === '429' || fault === '503') return send(response, Number(fault), { detail: 'Slow down.' }, { 'retry-after': '0' })
    if (fault === '500 before') return send(response, 500, { detail: 'It broke.' })
    if (fault === 'cut before') return request.socket.destroy()
    if (typeof fault === 'object' && !fault.acts) return answered(response, fault)
    const [status, answer] = act(request, body)
    if (typeof fault === 'object') return answered(response, fault)
    if (fault === '500 after') return send(response, 500, { detail: 'It broke, too late.' })
    if (fault === 'cut after') return request.socket.destroy()
    send(response, status, answer)
  })

  function act(request: IncomingMessage, body: Record<string, unknown>): [status: number, answer: object] {
    if (request.headers.authorization !== `Bearer ${token}`) return [401, { detail: 'A wrong token.' }]
    const url = new URL(request.url ?? '', 'http://scim')
    const [kind = '', id] = url.pathname.replace('/scim/v2/', '').split('/').map(decodeURIComponent)
    if (kind === 'ServiceProviderConfig') return service.config ? [200, service.config] : [404, { detail: 'Not here.' }]
    if (kind !== 'Users' && kind !== 'Groups') return [404, { detail: 'No such path.' }]
    const all = kind === 'Users' ? users : groups
    const name = kind === 'Users' ? 'userName' : 'displayName'
    const shown = (one: Resource, isList: boolean) => {
      const isShown = service.showsMembers === 'always' || (service.showsMembers === 'one by one' && !isList)
      return isShown || kind === 'Users' ? one : { ...one, members: undefined }
    }
    if (request.method === 'GET' && id === undefined) return [200, listOf(all, url.searchParams, name, (one) => shown(one, true))]
    const sameName = all.find((one) => String(one[name]).toLowerCase() === String(body[name]).toLowerCase())
    if (request.method === 'POST') {
      if (sameName) return [409, { detail: `${body[name]} exists.`, scimType: 'uniqueness' }]
      const stranger = strangerIn(body.members)
      if (stranger !== undefined) return [400, { detail: `${stranger} is no user.`, scimType: 'invalidValue' }]
      const one = { ...body, id: `${kind} ${++made}` }
      all.push(one)
      return [201, one]
    }
    const there = all.find((one) => one.id === id)
    if (!there) return [404, { detail: 'No such resource.' }]
    if (request.method === 'GET') return [200, shown(there, false)]
    if (request.method === 'DELETE') {
      all.splice(all.indexOf(there), 1)
      return [204, {}]
    }
    if (sameName && sameName !== there) return [409, { detail: `${body[name]} exists.`, scimType: 'uniqueness' }]
    if (request.method === 'PUT') Object.assign(there, { members: [] }, body)
    else return patched(there, body.Operations as Record<string, unknown>[])
    return [200, there]
  }

  const strangerIn = (members: unknown) =>
    ((members ?? []) as Member[]).find(({ value }) => !users.some(({ id }) => id === value))?.value

  function patched(there: Resource, operations: Record<string, unknown>[]): [status: number, answer: object] {
    let touched = 0
    let members = [...((there.members ?? []) as Member[])]
    for (const { op, path, value } of operations) {
      if (path === undefined) Object.assign(there, value)
      else if (op === 'add' && path === 'members') {
        const added = value as Member[]
        const stranger = strangerIn(added)
        if (stranger !== undefined) return [400, { detail: `${stranger} is no user.`, scimType: 'invalidValue' }]
        touched += added.length
        members = [...members.filter((one) => !added.some((other) => other.value === one.value)), ...added]
      } else if (op === 'remove' && Array.isArray(value)) {
        touched += value.length
        members = members.filter((one) => !(value as Member[]).some((other) => other.value === one.value))
      } else if (op === 'remove') {
        touched++
        const gone = JSON.parse(/^members\[value eq (".*")\]$/.exec(String(path))?.[1] ?? 'null')
        members = members.filter((one) => one.value !== gone)
      } else return [501, { detail: `patch-${String(op).toUpperCase()}-operation not supported` }]
    }
    if (touched > service.mostMembers) return [400, { detail: `More than ${service.mostMembers} members.` }]
    if (touched > 0) there.members = members
    return [204, {}]
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2`
  const open = (profile?: ProfileName) => scimTarget({ url, token, pauseMs: 1, profile })
  const service: TinyScimService = {
    url,
    users,
    groups,
    received,
    config: { patch: { supported: true }, filter: { supported: true, maxResults: 100 } },
    showsMembers: 'always',
    mostMembers: Number.POSITIVE_INFINITY,
    target: open(),
    open,
    faultOf: () => undefined,
    willFail: (method, ...next) => faults.set(method, next),
    members: () =>
      Object.fromEntries(
        groups.map(({ displayName, members }) => [
          String(displayName),
          ((members ?? []) as Member[])
            .map(({ value }) => String(users.find(({ id }) => id === value)?.userName ?? value))
            .sort(),
        ]),
      ),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return service
}

function listOf(all: Resource[], query: URLSearchParams, name: string, shown: (one: Resource) => object) {
  const [, attribute = '', wanted] = query.get('filter')?.match(/^(\w+) eq (".*")$/) ?? []
  const found =
    wanted === undefined
      ? all
      : all.filter((one) =>
          attribute === name
            ? String(one[name]).toLowerCase() === String(JSON.parse(wanted)).toLowerCase()
            : one[attribute] === JSON.parse(wanted),
        )
  const cursor = query.get('cursor')
  const startIndex = cursor === null ? Number(query.get('startIndex') ?? 1) : Number(cursor || 1)
  const end = startIndex - 1 + Math.min(Number(query.get('count') ?? 100), 100)
  return {
    totalResults: found.length,
    ...(cursor === null ? { startIndex } : end < found.length ? { nextCursor: String(end + 1) } : {}),
    Resources: found.slice(startIndex - 1, end).map(shown),
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text === '' ? {} : JSON.parse(text)
}

const answered = (response: ServerResponse, { status, body, headers = {} }: Answer) =>
  void response.writeHead(status, headers).end(body)

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response
    .writeHead(status, { 'content-type': 'application/scim+json', ...headers })
    .end(status === 204 ? undefined : JSON.stringify(body))
}
