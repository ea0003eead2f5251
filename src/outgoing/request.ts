import { lookup } from 'node:dns'
import { Agent as HttpAgent, type IncomingMessage, request as overHttp } from 'node:http'
import { Agent as HttpsAgent, request as overHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isListed, mayConnect, type Reach } from './address.ts'

/** A request to somebody else's service. */
export interface OutgoingRequest {
  method: string
  url: string
  headers?: Record<string, string>
  body?: string
}

/** What came back, read to its end. Redirects are not followed: they are answers. */
export interface OutgoingAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

/** No answer came. `wasSent` false: nothing reached the other side; true: nobody knows whether it acted. */
export class OutgoingError extends Error {
  readonly wasSent: boolean
  constructor(message: string, wasSent: boolean, cause?: unknown) {
    super(message, { cause })
    this.name = 'OutgoingError'
    this.wasSent = wasSent
  }
}

/** The deployment does not let a request go there: it was not sent, and never will be. */
export class OutgoingForbidden extends OutgoingError {
  constructor(message: string) {
    super(message, false)
    this.name = 'OutgoingForbidden'
  }
}

export interface OutgoingOptions {
  reach: Reach
  /** Certificates of an own authority, in PEM, beside the known ones. */
  ca?: string
  connectTimeoutMs?: number
  timeoutMs?: number
  maxBytes?: number
}

/** Sends requests by rule 26, and keeps connections open between them. */
export interface Outgoing {
  send(request: OutgoingRequest): Promise<OutgoingAnswer>
  close(): void
}

/**
 * Rule 26: https alone, and public addresses alone, unless the deployment allows it; the address that is connected to is the one
 * that is checked; certificates are verified; 10 s to connect, 60 s in all, 32 MiB.
 */
export function outgoing({
  reach,
  ca,
  connectTimeoutMs = 10_000,
  timeoutMs = 60_000,
  maxBytes = 32 * 1024 * 1024,
}: OutgoingOptions): Outgoing {
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true, ...(ca ? { ca } : {}) }) }
  return {
    send: ({ method, url, headers = {}, body }) =>
      new Promise((resolve, reject) => {
        const to = new URL(url)
        const no = whyNot(to, reach)
        if (no !== undefined) return reject(new OutgoingForbidden(no))
        const isSecure = to.protocol === 'https:'
        const sent = (isSecure ? overHttps : overHttp)(to, {
          method,
          agent: isSecure ? agents.https : agents.http,
          headers: body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) },
          lookup: checkedLookup(to.hostname, reach),
          timeout: timeoutMs,
        })
        let isConnected = false
        const connecting = setTimeout(() => end(`it did not connect within ${connectTimeoutMs / 1_000} s`), connectTimeoutMs)
        const waiting = setTimeout(() => end(`no answer within ${timeoutMs / 1_000} s`), timeoutMs)
        const settle = () => {
          clearTimeout(connecting)
          clearTimeout(waiting)
        }
        const fail = (why: string, cause?: unknown) => {
          settle()
          reject(cause instanceof OutgoingForbidden ? cause : new OutgoingError(why, isConnected, cause))
        }
        const end = (why: string) => {
          fail(why)
          sent.destroy()
        }
        sent.on('socket', (socket) => {
          const connected = () => {
            isConnected = true
            clearTimeout(connecting)
          }
          if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', connected)
          else connected()
        })
        sent.on('error', (error) => fail(codeOf(error), error))
        sent.on('response', (answer) => {
          whole(answer, maxBytes).then(
            (text) => {
              settle()
              resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text })
            },
            (error: Error) => {
              fail(codeOf(error), error)
              sent.destroy()
            },
          )
        })
        sent.end(body)
      }),
    close: () => {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

/** Why nothing may be sent to an address as it is written, or undefined. */
export function whyNot(to: URL, reach: Reach): string | undefined {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return `${to.protocol} is not https`
  if (to.username !== '' || to.password !== '') return 'an address must not hold a user name or password'
  if (reach === 'anywhere') return undefined
  const host = to.hostname.replace(/^\[|\]$/g, '')
  if (to.protocol === 'http:' && !isListed(host, reach))
    return `http is not allowed for ${host}: use https, or have the deployment allow it (MUSTER_OUTGOING_ALLOW)`
  if (isIP(host) !== 0 && !mayConnect(host, host, reach)) return notAllowed(host)
  return undefined
}

const notAllowed = (host: string) =>
  `${host} is a private address: it can be reached where the deployment allows it (MUSTER_OUTGOING_ALLOW)`

/** Looks a host up, and yields what may be connected to: a name cannot answer otherwise the second time. */
export function checkedLookup(host: string, reach: Reach): LookupFunction {
  return (name, options, callback) =>
    lookup(name, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, [])
      const allowed = reach === 'anywhere' ? addresses : addresses.filter(({ address }) => mayConnect(address, host, reach))
      const first = allowed[0]
      if (first === undefined) return callback(new OutgoingForbidden(notAllowed(host)), [])
      if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
}

async function whole(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > maxBytes) throw new Error(`its answer is longer than ${maxBytes / 1024 / 1024} MiB`)
    parts.push(part)
  }
  if (!answer.complete) throw new Error('its answer was cut')
  return Buffer.concat(parts).toString('utf8')
}

const codeOf = (error: Error & { code?: string }) => error.code ?? error.message
