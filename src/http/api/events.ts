import { PassThrough } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { reading } from '../../database/transaction.ts'
import type { LogEvent } from '../../organization/followers.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { liveEvents } from '../live-events.ts'
import type { Parts } from '../parts.ts'
import type { ApiPlugin } from './api.ts'

const Query = Type.Object(
  {
    topics: Type.Optional(
      Type.String({
        pattern: '^[a-z_]+(\\.[a-z_]+)?(,[a-z_]+(\\.[a-z_]+)?){0,99}$',
        description: 'Actions of the log, or all of a kind, with commas: `run,group.state_changed`. All where it is not said',
      }),
    ),
    directory: Type.Optional(Type.String({ maxLength: 255, description: 'Only of this directory; its id or name' })),
    after: Type.Optional(
      Type.String({ pattern: '^\\d{1,18}$', description: 'Begin behind this event; the header Last-Event-ID goes before it' }),
    ),
  },
  { additionalProperties: false },
)

// Proxies close what is silent for a minute.
const heartbeatMs = 15_000
// A revoked token is believed for 4 s; the stream ends within 5 s (rule 7).
const askAgainMs = 1_000
// Who reads so slowly is cut off, and comes back with Last-Event-ID.
const unreadAtMost = 1 << 20

/** The log as a stream of events: who keeps a page, or a copy, up to date need not ask again and again. */
export const eventsApi: ApiPlugin = async (app, { db }: Parts) => {
  const live = liveEvents(db, (error) => app.log.warn({ err: error }, 'the log could not be read; it is tried again'))
  const streams = new Set<PassThrough>()
  let isStopping = false
  app.addHook('preClose', async () => {
    isStopping = true
    for (const stream of streams) stream.end()
  })

  app.get(
    '/events',
    {
      schema: {
        operationId: 'followEvents',
        tags: ['audit'],
        summary: 'What happens, as it happens: server-sent events that can be gone on with where they were cut',
        description:
          'Each event is thin: `{id, type, at, directory, subject, run, request}`; what became other is in `/audit/{entry}`. The first one, `ready`, says from where on events follow; `missed` says that too much happened since `Last-Event-ID` to be told, so read again what you show. A comment comes each 15 s. The stream ends when the token is revoked.',
        querystring: Query,
        response: { 200: { description: 'Server-sent events', content: { 'text/event-stream': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const { scope, query } = request
      const { directory } = query
      const only =
        directory === undefined ? undefined : (await reading(db, scope, (reader) => findDirectory(reader, directory))).id
      const topics = query.topics?.split(',')
      const isWanted = (event: LogEvent) =>
        (only === undefined || event.directory === only) &&
        (topics === undefined || topics.some((topic) => event.type === topic || event.type.startsWith(`${topic}.`)))

      const stream = new PassThrough()
      streams.add(stream)
      const say = (text: string) => {
        if (stream.writable) stream.write(text)
      }
      say('retry: 2000\n: hello\n\n')
      const stop = live.listen(
        scope.orgId,
        {
          begin: (id) => say(`id: ${id}\nevent: ready\ndata: {}\n\n`),
          missed: () => say('event: missed\ndata: {}\n\n'),
          take: (events) => {
            const text = events.filter(isWanted).map((event) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`)
            // The place moves on with what is left out, too.
            say(text.length > 0 ? text.join('') : `id: ${events.at(-1)?.id}\n\n`)
            if (stream.writableLength > unreadAtMost) stream.destroy()
          },
        },
        lastEventId(request.headers['last-event-id']) ?? query.after,
      )
      const heart = setInterval(() => say(':\n\n'), heartbeatMs)
      const ask = async () => {
        if (!(await app.isStillSignedIn(request))) stream.end()
      }
      const asking = setInterval(() => void ask().catch(() => stream.end()), askAgainMs)
      stream.once('close', () => {
        stop()
        clearInterval(heart)
        clearInterval(asking)
        streams.delete(stream)
      })
      // Asked for before the server began to stop, answered after: nobody else would end it.
      if (isStopping) stream.end()
      return sendEvents(reply, stream)
    },
  )
}

// Kept open after its end, the connection would keep a server that stops from being closed.
const sendEvents = (reply: FastifyReply, stream: PassThrough): FastifyReply =>
  reply.headers({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no', connection: 'close' }).send(stream)

const lastEventId = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' && /^\d{1,18}$/.test(header) ? header : undefined
