import { randomUUIDv7 } from 'node:crypto'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { readAllowList } from '../outgoing/address.ts'
import { deviceLoginApi } from './api/devices.ts'
import { describeApi } from './api/openapi.ts'
import { signInByPasskeyApi } from './api/passkeys.ts'
import { sendProblem } from './api/problem.ts'
import { apiRoutes } from './api/routes.ts'
import { signInApi } from './api/sign-in.ts'
import { signInByProviderApi } from './api/sign-in-by-provider.ts'
import { type Authentication, authentication } from './auth/authenticate.ts'
import { type OpenId, openId, signInCallback } from './auth/openid.ts'
import { roleCheckOf } from './auth/roles.ts'
import { refuseForeignWrites } from './auth/session-cookie.ts'
import { checkedAnswers } from './checked-answers.ts'
import { answerClientError } from './client-error.ts'
import { consoleFiles, type SendConsole } from './console-files.ts'
import { acceptJson, bodyLimit, refuseOtherContent } from './content.ts'
import { Failure, failureOf } from './failure.ts'
import { securityHeaders } from './headers.ts'
import { healthRoutes } from './health.ts'
import { largeBodies, requestRate, usualScimRate } from './limits.ts'
import type { Parts } from './parts.ts'
import { protocolOf } from './protocol.ts'
import { sendScimFailure } from './scim/answers.ts'
import { requestLog } from './scim/request-log.ts'
import { scimRoutes } from './scim/routes.ts'
import { validate } from './validation.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** From now on `/readyz` says 503, so that no balancer sends more; requests are still answered. */
    drain(): void
    /** Speaks to the providers that people sign in by. */
    openId: OpenId
  }
  interface FastifyRequest {
    /** Under `/scim/v2`: how many requests this one comes to, for the rate of its directory (rule 23). */
    countsAs(requests: number): void
  }
}

/**
 * Builds the HTTP server, ready to listen: health, `/scim/v2`, `/api/v1` and its document.
 * Under `/api` and `/scim` who asks comes first: without a token even an unknown path is a 401.
 */
export async function buildApp(parts: Parts): Promise<FastifyInstance> {
  const headers = securityHeaders(parts.publicUrl)
  const lastUrls = new WeakMap<Socket, string>()
  const app = fastify({
    logger: parts.logger ?? false,
    // One line a request of our own, without the query: a filter may hold a person's name.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => randomUUIDv7(),
    requestIdHeader: false,
    bodyLimit,
    // Rule 24. A slow body is cut only if Node's own header timeout is no longer, and looked at often (measured).
    requestTimeout: 60_000,
    http: { headersTimeout: 15_000, connectionsCheckingInterval: 5_000 },
    // A group's name of 255 characters, percent-encoded, is a parameter.
    routerOptions: { maxParamLength: 4_096, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    // While it closes, requests on open connections are answered as ever; new connections are not taken.
    return503OnClosing: false,
    clientErrorHandler: answerClientError(headers, (socket) => lastUrls.get(socket)),
    frameworkErrors: (error, request, reply) =>
      void sendError(error, request, reply.headers({ ...headers, 'cache-control': 'no-store', 'x-request-id': request.id })),
  }).withTypeProvider<TypeBoxTypeProvider>()
  const clock = parts.clock ?? (() => performance.now())

  app.setValidatorCompiler(validate)
  app.setSerializerCompiler(checkedAnswers(parts.checkAnswers === true))
  acceptJson(app)
  answerAlike(app, headers, await consoleFiles(app))
  app.addHook('onRequest', async (request) => void lastUrls.set(request.socket, request.url))
  // An expectation that nobody knows is ignored: Node's own 417 would be no error of either protocol.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  healthRoutes(app, parts.db)
  cutSlowOnesAtClose(app)
  await describeApi(app, parts.version)

  const who = authentication(app, parts, clock)
  const signingIn = openId(parts.reach ?? readAllowList(''), `${parts.publicUrl}${signInCallback}`)
  app.decorate('openId', signingIn)
  app.addHook('onClose', async () => signingIn.close())
  const noteRequest = requestLog(app, parts.db)
  const takeLargeBody = largeBodies()
  await app.register(async (open) => openToAll(open, parts), { prefix: '/api/v1' })
  await app.register(async (open) => openToPrograms(open, parts), { prefix: '/api/v1' })
  await app.register(async (api) => guardedApi(api, parts, who, takeLargeBody), { prefix: '/api/v1' })
  await app.register(
    async (scim) => {
      if (parts.keepRequests !== false) scim.addHook('onResponse', async (request, reply) => noteRequest(request, reply))
      await guardedScim(scim, parts, who, takeLargeBody, requestRate(clock, parts.scimRate ?? usualScimRate))
    },
    { prefix: '/scim/v2' },
  )
  await app.ready()
  return app
}

const closeWithinMs = 15_000

// A request under way is finished; one whose body trickles in must not keep the server up (rule 30).
function cutSlowOnesAtClose(app: FastifyInstance): void {
  let timer: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    timer = setTimeout(() => app.server.closeAllConnections(), closeWithinMs)
  })
  app.addHook('onClose', async () => clearTimeout(timer))
}

// What holds for every answer, errors and unknown paths included.
function answerAlike(app: FastifyInstance, headers: Record<string, string>, sendConsole: SendConsole): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers).header('x-request-id', request.id)
    if (protocolOf(request.url) !== undefined) reply.header('cache-control', 'no-store')
  })
  app.addHook('onResponse', async (request, reply) => {
    const path = request.url.split('?', 1)[0]
    request.log.info(
      { method: request.method, path, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) },
      'answered',
    )
  })
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((request, reply) => {
    if (protocolOf(request.url) === undefined && sendConsole(request, reply)) return reply
    return sendNoSuchPath(request, reply)
  })
}

// The one way out for what was thrown. Each protocol has its own errors, outside of its routes too.
function sendError(
  error: unknown,
  request: Pick<FastifyRequest, 'url' | 'log'> & { trace?: FastifyRequest['trace'] },
  reply: FastifyReply,
): FastifyReply {
  const failure = failureOf(error)
  if (request.trace) request.trace.error = failure.message
  // A 501 is said on purpose.
  if (failure.status >= 500 && failure.status !== 501) request.log.error({ err: error }, 'failed')
  return protocolOf(request.url) === 'scim' ? sendScimFailure(reply, failure) : sendProblem(reply, failure)
}

const sendNoSuchPath = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
  sendError(
    protocolOf(request.url) === 'scim'
      ? new Failure(404, 'no_such_path', 'There is no such resource.')
      : new Failure(404, 'no_such_path', 'There is nothing at this path. The paths are listed in /api/openapi.json.'),
    request,
    reply,
  )

type TakeLargeBody = ReturnType<typeof largeBodies>

// Who asks is what these find out. They are for pages of ours.
async function openToAll(open: FastifyInstance, parts: Parts): Promise<void> {
  open.addHook('onRequest', async (request) => {
    refuseForeignWrites(request, parts.publicUrl)
    refuseOtherContent(request)
  })
  await open.register(signInApi, parts)
  await open.register(signInByProviderApi, parts)
  await open.register(signInByPasskeyApi, parts)
}

// A program has no Origin, and no cookie that another page could make use of.
async function openToPrograms(open: FastifyInstance, parts: Parts): Promise<void> {
  open.addHook('onRequest', async (request) => refuseOtherContent(request))
  await open.register(deviceLoginApi, parts)
}

async function guardedApi(api: FastifyInstance, parts: Parts, who: Authentication, takeLargeBody: TakeLargeBody): Promise<void> {
  api.addHook('onRequest', async (request, reply) => {
    await who.api(request)
    request.scope.recipient = reply.raw
    if (request.is404) return
    refuseOtherContent(request)
    takeLargeBody(request.scope.orgId, request, reply)
  })
  api.addHook('onRoute', (route) => {
    route.onRequest = [...[route.onRequest ?? []].flat(), roleCheckOf(route)]
  })
  api.setNotFoundHandler(sendNoSuchPath)
  for (const routes of apiRoutes) await api.register(routes, parts)
}

async function guardedScim(
  scim: FastifyInstance,
  parts: Parts,
  who: Authentication,
  takeLargeBody: TakeLargeBody,
  takeTurn: ReturnType<typeof requestRate>,
): Promise<void> {
  scim.decorateRequest('countsAs', function (this: FastifyRequest, requests: number) {
    takeTurn(this.directory.id, requests - 1)
  })
  scim.addHook('onRequest', async (request, reply) => {
    await who.scim(request)
    request.scope.recipient = reply.raw
    const waitMs = takeTurn(request.directory.id)
    if (waitMs > 0) await sleep(waitMs)
    if (request.is404) return
    refuseOtherContent(request)
    takeLargeBody(request.scope.orgId, request, reply)
  })
  scim.setNotFoundHandler(sendNoSuchPath)
  await scim.register(scimRoutes, parts)
}
