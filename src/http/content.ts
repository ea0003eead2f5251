import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { readJson, readJsonInTurns } from '../scim/json.ts'
import { contentTypeNotSupported } from './failure.ts'

/** What all bodies but the named ones may hold; what may name many people or groups says otherwise on its route (rule 19). */
export const bodyLimit = 1024 * 1024

/** The largest body of what may name many people or groups: 150,000 members are 12 MiB. */
export const largeBodyLimit = 32 * 1024 * 1024

const accepted = /^application\/(scim\+)?json *(; *charset="?utf-8"? *)?$/i

/** JSON alone is read, by one reader, whichever of its two names it has (rules 20, 21). */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(accepted, { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    body.length > bodyLimit ? readJsonInTurns(body, setImmediate) : readJson(body),
  )
}

/** @throws Failure 415 for a body of another type, or a compressed one */
export function refuseOtherContent(request: FastifyRequest): void {
  const { 'content-encoding': encoding, 'content-type': type } = request.headers
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw contentTypeNotSupported()
  if (hasBody(request) && !accepted.test(type ?? '')) throw contentTypeNotSupported()
}

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0')
