import { type Answer, clientOf } from './clients.ts'

/** A page of ours in a browser: it sends its own Origin and keeps the cookie that it is given. */
export interface Browser {
  (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** The session's cookie, `name=value`, as it is now. */
  cookie(): string | undefined
}

/** Opens a browser on a server; paths are below /api/v1. */
export function browserOf(url: string): Browser {
  const client = clientOf(`${url}/api/v1`, 'application/json', undefined)
  let cookie: string | undefined
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const held: Record<string, string> = cookie === undefined ? {} : { cookie }
    const answer = await client(method, path, body, { headers: { origin: url, ...held, ...headers } })
    const [given, ...attributes] = answer.headers.get('set-cookie')?.split('; ') ?? []
    if (given !== undefined) cookie = attributes.includes('Max-Age=0') ? undefined : given
    return answer
  }
  return Object.assign(send, { cookie: () => cookie })
}
