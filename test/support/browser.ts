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
  const cookies = new Map<string, string>()
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const held: Record<string, string> = cookie === '' ? {} : { cookie }
    const answer = await client(method, path, body, { headers: { origin: url, ...held, ...headers } })
    for (const [given = '', ...attributes] of answer.headers.getSetCookie().map((each) => each.split('; '))) {
      const [name = '', value = ''] = given.split('=')
      if (attributes.includes('Max-Age=0')) cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }
  const session = () => cookies.get('muster_session')
  return Object.assign(send, { cookie: () => session() && `muster_session=${session()}` })
}
