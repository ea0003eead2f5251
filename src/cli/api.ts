import { type Api, ApiError, type ApiOptions, answerOf, openApi } from '../client/client.ts'
import { exit, Failure } from './failure.ts'

export type { Api }

export interface Connection {
  server: string
  /** None, while somebody signs in. */
  token?: string
  timeoutMs: number
  trace?: (line: string) => void
}

/** How the client sends: within a time, without following a redirect anywhere, told to `trace` without the token. */
export function apiOptions({ server, token, timeoutMs, trace }: Connection): ApiOptions {
  return {
    server,
    ...(token === undefined ? {} : { token }),
    userAgent: 'muster-cli',
    fetch: async (request) => {
      const began = performance.now()
      try {
        const response = await fetch(request, {
          redirect: 'error',
          signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]),
        })
        trace?.(`${request.method} ${request.url} ${response.status} ${Math.round(performance.now() - began)} ms`)
        return response
      } catch (error) {
        throw unreachable(server, error, timeoutMs)
      }
    },
  }
}

export const connect = (connection: Connection): Api => openApi(apiOptions(connection))

/** What the API answered, as JSON: the CSV that some lists have too is not asked for here.
 * @throws Failure that says why it did not, and what to do */
export function answer<T>(call: Promise<{ data?: T | string; error?: unknown; response: Response }>): Promise<T> {
  return explained(answerOf(call)) as Promise<T>
}

/** What a call of the API gives; its no as a Failure, with the exit code that scripts rely on. */
export async function explained<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw error instanceof ApiError ? failureOf(error) : error
  }
}

function failureOf({ status, problem, requestId }: ApiError): Failure {
  const [why, advice] = sentences(problem.detail)
  if (status === 401)
    return new Failure(
      exit.signIn,
      'The server does not accept this token.',
      'It may be wrong, expired or revoked. Set another: MUSTER_TOKEN, or muster login --token-stdin',
      problem,
    )
  if (status === 403)
    return new Failure(exit.signIn, why, advice || 'Use a token whose role may do this: muster whoami tells yours.', problem)
  if (problem.type === 'urn:muster:problem:review_changed') return new Failure(exit.reviewChanged, why, advice, problem)
  const lines = linesOf(problem)
  if (lines.length > 0)
    return new Failure(
      exit.failed,
      [detailOf(problem.detail), ...lines].join('\n'),
      'Correct the files and import again.',
      problem,
    )
  if (status === 404) return new Failure(exit.failed, why, advice || `List them to see their names: ${listOf(why)}`, problem)
  return new Failure(
    exit.failed,
    why,
    advice || (requestId ? `The server’s log knows it as request ${requestId}.` : 'muster --help shows how it is used.'),
    problem,
  )
}

const listOf = (why: string) =>
  /person/.test(why)
    ? 'muster people list --limit 0'
    : /role/.test(why)
      ? 'muster api GET /api/v1/roles'
      : 'muster groups list --limit 0'

// The API's detail says what is the matter and then what to do: a line each.
function sentences(detail: string): [why: string, advice: string] {
  const end = detail.search(/[.!?]\s+(?=\p{Lu})/u)
  return end < 0 ? [detail, ''] : [detail.slice(0, end + 1), detail.slice(end + 1).trim()]
}

// What is wrong in an import: a line of a file each.
function linesOf(problem: { errors?: unknown; errorCount?: unknown }): string[] {
  const errors = (Array.isArray(problem.errors) ? problem.errors : []) as { file?: string; line?: number; message?: string }[]
  const lines = errors.flatMap(({ file, line, message }) => (file === undefined ? [] : [`  ${file}, line ${line}: ${message}`]))
  const more = Number(problem.errorCount ?? lines.length) - lines.length
  return more > 0 ? [...lines, `  and ${more} more`] : lines
}

// «Nothing was imported: 3 errors.» The first of them, which follows, is in the list.
const detailOf = (detail: string) => detail.slice(0, detail.indexOf('. ') + 1) || detail

function unreachable(server: string, error: unknown, timeoutMs: number): Failure {
  const { name, cause, message } = error as Error & { cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError')
    return new Failure(
      exit.failed,
      `${server} did not answer within ${timeoutMs / 1_000} s.`,
      'Try again, or wait longer: --timeout SECONDS',
    )
  return new Failure(
    exit.failed,
    `${server} cannot be reached: ${cause?.code ?? cause?.message ?? message}.`,
    'Start it with muster serve, or name another with --server or -P.',
  )
}
