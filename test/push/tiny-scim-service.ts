import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ScimTarget, scimTarget } from '../../src/push/scim-target.ts'

/** What goes wrong with a request: before the service acted on it, or after. */
export type Fault = '429' | '503' | '500 before' | '500 after' | 'cut before' | 'cut after'

interface Resource {
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

/** A small SCIM service over real HTTP that keeps what it is sent, and fails as told. */
export interface TinyScimService {
  target: ScimTarget
  url: string
  users: Resource[]
  groups: Resource[]
  received: Received[]
  /** The next requests with this method go wrong, one by one. */
  willFail(method: string, ...faults: Fault[]): void
  stop(): Promise<void>
}

export const token = 'the right token'

export async function startTinyScimService(): Promise<TinyScimService> {
  const users: Resource[] = []
  const groups: Resource[] = []
  const received: Received[] = []
  const faults = new Map<string, Fault[]>()
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    received.push({
      method: request.method ?? '',
      path: request.url ?? '',
      userAgent: request.headers['user-agent'],
      contentType: request.headers['content-type'],
      body,
    })
    const fault = faults.get(request.method ?? '')?.shift()
    if (fault === '429' || fault === '503') return send(response, Number(fault), { detail: 'Slow down.' }, { 'retry-after': '0' })
    if (fault === '500 before') return send(response, 500, { detail: 'It broke.' })
    if (fault === 'cut before') return request.socket.destroy()
    const [status, answer] = act(request, body)
    if (fault === '500 after') return send(response, 500, { detail: 'It broke, too late.' })
    if (fault === 'cut after') return request.socket.destroy()
    send(response, status, answer)
  })

  function act(request: IncomingMessage, body: Record<string, unknown>): [status: number, answer: object] {
    if (request.headers.authorization !== `Bearer ${token}`) return [401, { detail: 'A wrong token.' }]
    const url = new URL(request.url ?? '', 'http://scim')
    const [kind, id] =
      url.pathname.split('/').slice(-2)[0] === 'v2'
        ? [url.pathname.split('/').at(-1), undefined]
        : url.pathname.split('/').slice(-2)
    const all = kind === 'Users' ? users : groups
    const name = kind === 'Users' ? 'userName' : 'displayName'
    if (request.method === 'GET') return [200, listOf(all, url.searchParams, name)]
    if (request.method === 'POST') {
      if (all.some((one) => one[name] === body[name])) return [409, { detail: `${body[name]} exists.`, scimType: 'uniqueness' }]
      const made = { ...body, id: `${kind} ${all.length + 1}` }
      all.push(made)
      return [201, made]
    }
    const there = all.find((one) => one.id === decodeURIComponent(id ?? ''))
    if (!there) return [404, { detail: 'No such resource.' }]
    if (request.method === 'PUT') Object.assign(there, body)
    else there.members = (body.Operations as { value: unknown }[])[0]?.value
    return [200, there]
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2`
  return {
    url,
    users,
    groups,
    received,
    target: scimTarget({ url, token, pauseMs: 1 }),
    willFail: (method, ...next) => faults.set(method, next),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listOf(all: Resource[], query: URLSearchParams, name: string) {
  const wanted = query.get('filter')?.match(/eq (".*")$/)?.[1]
  const found =
    wanted === undefined ? all : all.filter((one) => String(one[name]).toLowerCase() === String(JSON.parse(wanted)).toLowerCase())
  const startIndex = Number(query.get('startIndex') ?? 1)
  return {
    totalResults: found.length,
    startIndex,
    Resources: found.slice(startIndex - 1, startIndex - 1 + Number(query.get('count') ?? 100)),
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text === '' ? {} : JSON.parse(text)
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/scim+json', ...headers }).end(JSON.stringify(body))
}
