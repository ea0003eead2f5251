import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { problemOf } from './api/problem.ts'
import { Failure } from './failure.ts'
import { protocolOf } from './protocol.ts'
import { scimErrorOf } from './scim/answers.ts'

/**
 * Answers what is no HTTP at all, or came too slowly (rule 24): there may be no request yet, so the answer is written by hand.
 * @param urlOf the URL of the last request that a connection brought
 */
export function answerClientError(
  headers: Record<string, string>,
  urlOf: (socket: Socket) => string | undefined,
): (error: NodeJS.ErrnoException & { rawPacket?: unknown }, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return
    const failure = failureOf(error.code)
    const isOfScim = protocolOf(urlIn(error.rawPacket) ?? urlOf(socket) ?? '') === 'scim'
    const body = JSON.stringify(isOfScim ? scimErrorOf(failure) : problemOf(failure))
    const all = {
      ...headers,
      'cache-control': 'no-store',
      'content-type': `application/${isOfScim ? 'scim' : 'problem'}+json; charset=utf-8`,
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    if (socket.writable)
      socket.write(`HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\n${lines.join('')}\r\n${body}`)
    socket.destroySoon()
  }
}

// Where what came was the beginning of a request, its URL can be read all the same.
const urlIn = (packet: unknown): string | undefined =>
  Buffer.isBuffer(packet) ? /^\S+ (\/\S{0,20})/.exec(packet.toString('latin1', 0, 40))?.[1] : undefined

function failureOf(code: string | undefined): Failure {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Failure(408, 'timed_out', 'The request came too slowly: its headers within 15 s, all of it within 60 s.')
  if (code === 'HPE_HEADER_OVERFLOW') return new Failure(431, 'invalid_request', 'The headers are larger than 16 KiB.')
  return new Failure(400, 'invalid_request', 'This is not HTTP/1.1.')
}
