import type { FastifyReply, FastifyRequest } from 'fastify'
import { sessionHours } from '../../organization/sessions.ts'
import { Failure } from '../failure.ts'

/** How a browser holds its session (rule 34): a cookie that no script reads and no other site's page sends with a write. */
export interface SessionCookie {
  read(request: FastifyRequest): string | undefined
  set(reply: FastifyReply, secret: string): void
  clear(reply: FastifyReply): void
}

export const sessionCookie = (publicUrl: string): SessionCookie => cookieNamed('muster_session', publicUrl, sessionHours * 3_600)

/** Likewise what a browser must bring back that went to a provider to sign in. */
export const attemptCookie = (publicUrl: string): SessionCookie => cookieNamed('muster_attempt', publicUrl, 600)

function cookieNamed(plainName: string, publicUrl: string, seconds: number): SessionCookie {
  const isSecure = publicUrl.startsWith('https:')
  const name = isSecure ? `__Host-${plainName}` : plainName
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  return {
    read({ headers }) {
      const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim())
      return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
    },
    // Fastify keeps each of several cookies.
    set: (reply, secret) => void reply.header('set-cookie', `${name}=${secret}; ${attributes}; Max-Age=${seconds}`),
    clear: (reply) => void reply.header('set-cookie', `${name}=; ${attributes}; Max-Age=0`),
  }
}

/** @throws Failure 403 for a write that does not come from a page of ours, or whose body a form could send (rule 34) */
export function refuseForeignWrites(request: FastifyRequest, publicUrl: string): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const { origin, 'content-type': type } = request.headers
  const own = new URL(publicUrl).origin
  if (origin !== own)
    throw new Failure(403, 'not_permitted', `This is accepted from pages of ${own} alone. Open the console there.`)
  if (type !== undefined && !/^application\/json\b/i.test(type))
    throw new Failure(403, 'not_permitted', 'This is accepted as application/json alone.')
}
