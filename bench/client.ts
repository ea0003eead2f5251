import { Agent, type IncomingMessage, request } from 'node:http'

// The client that measures every server alike: HTTP/1.1 over connections that stay open, one request at a time on each.

/** A request, its path below `/scim/v2`. */
export interface Ask {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT'
  path: string
  body?: string
}

export interface Answer {
  status: number
  bytes: number
  /** From the request to the first byte of the body, or to the answer's end where there is none. */
  firstByteMs: number
  ms: number
  /** The body, where it was to be kept. */
  text: string
}

/** What a time of load showed. Times in ms, ascending. */
export interface Figures {
  times: number[]
  perSecond: number
  /** True: a request took longer than it may, and nothing more was sent. */
  isCut: boolean
}

export class TookTooLong extends Error {}

/** Sends one request after another on each of some connections. */
export interface Client {
  /** @throws TookTooLong; Error where the answer is no 2xx */
  ask(ask: Ask, keep?: 'text'): Promise<Answer>
  /** For so long, each connection what its own source says; a request under way is waited for. */
  load(sources: readonly (() => Ask)[], seconds: number): Promise<Figures>
  close(): void
}

/** @param capMs how long a request may take */
export function clientOf(url: string, token: string, { connections = 8, capMs = 30_000 } = {}): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port } = new URL(url)
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' }

  const ask = ({ method, path, body }: Ask, keep?: 'text'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const begun = performance.now()
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
      const sent = request(
        { agent, hostname, port, method, path: `/scim/v2${path}`, headers: { ...headers, ...length } },
        (answer) =>
          read(answer, begun, keep).then((read) => (isFine(read) ? resolve(read) : reject(notFine(method, path, read))), reject),
      )
      const timer = setTimeout(() => sent.destroy(new TookTooLong(`${method} ${path}`)), capMs)
      sent.on('close', () => clearTimeout(timer))
      sent.on('error', reject)
      sent.end(body)
    })

  const load = async (sources: readonly (() => Ask)[], seconds: number): Promise<Figures> => {
    const times: number[] = []
    const begun = performance.now()
    let isCut = false
    await Promise.all(
      sources.map(async (source) => {
        do {
          try {
            times.push((await ask(source())).ms)
          } catch (error) {
            if (!(error instanceof TookTooLong)) throw error
            isCut = true
          }
        } while (!isCut && performance.now() - begun < seconds * 1_000)
      }),
    )
    return { times: times.sort((a, b) => a - b), perSecond: (times.length / (performance.now() - begun)) * 1_000, isCut }
  }

  return { ask, load, close: () => agent.destroy() }
}

function read(answer: IncomingMessage, begun: number, keep: 'text' | undefined): Promise<Answer> {
  const status = answer.statusCode ?? 500
  const kept: Buffer[] = []
  let bytes = 0
  let firstByteMs: number | undefined
  answer.on('data', (chunk: Buffer) => {
    firstByteMs ??= performance.now() - begun
    bytes += chunk.length
    if (keep !== undefined || status >= 300) kept.push(chunk)
  })
  return new Promise((resolve, reject) => {
    answer.on('error', reject)
    answer.on('end', () => {
      const ms = performance.now() - begun
      resolve({ status, bytes, firstByteMs: firstByteMs ?? ms, ms, text: Buffer.concat(kept).toString() })
    })
  })
}

const isFine = ({ status }: Answer): boolean => status >= 200 && status < 300
const notFine = (method: string, path: string, { status, text }: Answer) =>
  new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`)

/** The time that a share of the requests stayed below; times ascending. */
export const quantile = (times: readonly number[], share: number): number =>
  times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
