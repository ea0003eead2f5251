import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Source } from '../../src/push/source.ts'

/**
 * Okta's API for reading, as its public reference describes it: SSWS tokens, `Link` with an opaque `after`, `limit` up to 200 for users and
 * 1,000 for members, `expand=stats`, a limit of requests with `X-Rate-Limit-*` and 429 `E0000047`.
 */
export interface OktaStandIn {
  url: string
  token: string
  requests: number
  refused: number
  /** The body of a page, changed before it is sent; undefined: 500. */
  page: (path: string, items: object[]) => object[] | undefined
  stop(): void
}

export async function startOkta({ users, groups }: Source, limitPerSecond = 400): Promise<OktaStandIn> {
  const idOf = (kind: string, name: string) => `00${kind}${createHash('sha256').update(name).digest('hex').slice(0, 17)}`
  const people = users.map(({ userName, email, displayName, active }) => {
    const [firstName = '', ...rest] = (displayName ?? userName).split(' ')
    return {
      id: idOf('u', userName),
      status: active ? 'ACTIVE' : 'SUSPENDED',
      profile: { login: userName, email, firstName, lastName: rest.join(' '), displayName },
    }
  })
  const byId = new Map(users.map(({ id }, i) => [id, people[i]]))
  const teams = groups.map(({ name, description, members }) => ({
    id: idOf('g', name),
    type: 'OKTA_GROUP',
    profile: { name, description },
    _embedded: { stats: { usersCount: members.length } },
  }))
  const groupIndex = new Map(teams.map(({ id }, i) => [id, i]))
  const never = Number.POSITIVE_INFINITY
  let left = limitPerSecond
  let reset = never
  const server = createServer((request, response) => {
    service.requests++
    const answer = (status: number, body: object, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, {
          'content-type': 'application/json',
          'x-rate-limit-limit': String(limitPerSecond),
          'x-rate-limit-remaining': String(left),
          'x-rate-limit-reset': String(reset === never ? Math.floor(Date.now() / 1_000) + 1 : reset),
          ...headers,
        })
        .end(JSON.stringify(body))
    if (request.headers.authorization !== `SSWS ${service.token}`)
      return answer(401, { errorCode: 'E0000011', errorSummary: 'Invalid token provided' })
    if (left <= 0 && Date.now() >= reset * 1_000) {
      left = limitPerSecond
      reset = never
    }
    if (left <= 0) {
      // The window ends a moment after the first who is refused: however slow the machine, a limit that is passed refuses.
      if (reset === never) reset = Math.floor(Date.now() / 1_000) + 1
      service.refused++
      return answer(429, { errorCode: 'E0000047', errorSummary: 'API call exceeded rate limit due to too many requests.' })
    }
    left--
    const url = new URL(request.url ?? '', service.url)
    const group = groupIndex.get(/^\/api\/v1\/groups\/(\w+)\/users$/.exec(url.pathname)?.[1] ?? '')
    const all =
      url.pathname === '/api/v1/users'
        ? people
        : url.pathname === '/api/v1/groups'
          ? teams
          : group === undefined
            ? undefined
            : groups[group]?.members.flatMap((id) => byId.get(id) ?? [])
    if (all === undefined) return answer(404, { errorCode: 'E0000007', errorSummary: 'Not found' })
    const most = group === undefined ? 200 : 1_000
    const limit = Math.min(Number(url.searchParams.get('limit') ?? most), most)
    const after = Number(Buffer.from(url.searchParams.get('after') ?? '', 'base64url').toString() || 0)
    const items = service.page(`${url.pathname}${after > 0 ? ` after ${after}` : ''}`, all.slice(after, after + limit))
    if (items === undefined) return answer(500, { errorCode: 'E0000009', errorSummary: 'Internal Server Error' })
    const next = new URL(url)
    next.searchParams.set('after', Buffer.from(String(after + limit)).toString('base64url'))
    const links = [`<${url}>; rel="self"`, ...(after + limit < all.length ? [`<${next}>; rel="next"`] : [])]
    answer(200, items, { link: links.join(', ') })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const service: OktaStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'the right token',
    requests: 0,
    refused: 0,
    page: (_, items) => items,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  return service
}
