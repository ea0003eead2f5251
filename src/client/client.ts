import createClient, { type Client, defaultPathSerializer } from 'openapi-fetch'
import type { components, paths } from './api-types.ts'

/** An error of the API (RFC 9457); further members depend on its type. */
export type Problem = components['schemas']['Problem']

/** The API as the document describes it: `api.GET('/api/v1/directories', { params: { query: { limit: 0 } } })`. */
export type Api = Client<paths>

/** What the API said no to, or a server that answers something else than a problem. */
export class ApiError extends Error {
  readonly status: number
  readonly problem: Problem
  /** What the server's log calls the request. */
  readonly requestId: string | undefined
  /** Seconds to wait, with a 429 or 503. */
  readonly retryAfter: number | undefined
  constructor(response: Response, problem: Problem) {
    super(problem.detail)
    this.name = 'ApiError'
    this.status = response.status
    this.problem = problem
    this.requestId = response.headers.get('x-request-id') ?? undefined
    this.retryAfter = Number(response.headers.get('retry-after')) || undefined
  }
}

export interface ApiOptions {
  /** `https://muster.example.org` */
  server: string
  /** What a script presents; a browser that is signed in has a session's cookie instead. */
  token?: string
  userAgent?: string
  /** How a request is sent; the platform's fetch if not said. */
  fetch?: (request: Request) => Promise<Response>
}

export function openApi({ server, token, userAgent = 'muster', fetch }: ApiOptions): Api {
  return createClient<paths>({
    baseUrl: server.replace(/\/+$/, ''),
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), 'user-agent': userAgent },
    pathSerializer: (path, values) =>
      defaultPathSerializer(path, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, notAStep(value)]))),
    ...(fetch ? { fetch } : {}),
  })
}

// A group may be called `..`: in a URL that, escaped or not, is a step up, and another path. Names are trimmed, so a blank keeps it one.
const notAStep = (value: unknown) => (typeof value === 'string' && /^\.{0,2}$/.test(value) ? ` ${value}` : value)

/** What a call answers. @throws ApiError for every answer that is no success */
export async function answerOf<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw new ApiError(response, problemOf(response, error))
  return data as T
}

/** Calls a path that the types do not know (`muster api`). @throws ApiError */
export async function request(
  api: ApiOptions,
  method: string,
  path: string,
  given: { query?: Record<string, string>; body?: unknown } = {},
): Promise<unknown> {
  const url = new URL(path, api.server)
  for (const [name, value] of Object.entries(given.query ?? {})) url.searchParams.set(name, value)
  const sent = new Request(url, {
    method,
    redirect: 'error',
    headers: {
      authorization: `Bearer ${api.token}`,
      ...(given.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
  })
  const response = await (api.fetch ?? fetch)(sent)
  const text = await response.text()
  const answer = jsonOf(text)
  if (!response.ok) throw new ApiError(response, problemOf(response, answer))
  return answer
}

function jsonOf(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

// A proxy in between answers in its own words.
function problemOf(response: Response, error: unknown): Problem {
  if (typeof error === 'object' && error !== null && 'type' in error && 'detail' in error) return error as Problem
  const title = `The server answered ${response.status}`
  return {
    type: 'about:blank',
    title,
    status: response.status,
    detail: `${title}${response.statusText ? ` (${response.statusText})` : ''}.`,
  }
}
