import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { problemOf } from './api/problem.ts'
import { Failure } from './failure.ts'

/** Answers what is no HTTP at all, or came too slowly (rule 24): there is no request yet, so the answer is written by hand. */
export function answerClientError(headers: Record<string, string>): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return
    const failure = failureOf(error.code)
    const body = JSON.stringify(problemOf(failure))
    const all = {
      ...headers,
      'cache-control': 'no-store',
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    if (socket.writable)
      socket.write(`HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\n${lines.join('')}\r\n${body}`)
    socket.destroySoon()
  }
}

function failureOf(code: string | undefined): Failure {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Failure(408, 'timed_out', 'The request came too slowly: its headers within 15 s, all of it within 60 s.')
  if (code === 'HPE_HEADER_OVERFLOW') return new Failure(431, 'invalid_request', 'The headers are larger than 16 KiB.')
  return new Failure(400, 'invalid_request', 'This is not HTTP/1.1.')
}
