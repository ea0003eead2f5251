import type { ReadableStream } from 'node:stream/web'
import { Command } from 'commander'
import { answer, connect } from '../api.ts'
import { contextOf } from '../context.ts'
import { exit, Failure } from '../failure.ts'
import { type Told, told } from '../views/events.ts'

interface Options {
  topics?: string
  directory?: string
  after?: string
}

// Until it is ended, or the server stops: as long as a timer can be.
const unendingMs = 2 ** 31 - 1

export const events = new Command('events')
  .description('what happens, as it happens, a line each; with --json a line of JSON each. Ctrl-C ends it')
  .option('--topics <actions>', 'only these actions of the log, or all of a kind: run,group.state_changed')
  .option('-d, --directory <name>', 'only of this directory')
  .option('--after <id>', 'begin behind this event')
  .action(async ({ topics, directory, after }: Options, command: Command) => {
    const query = Object.fromEntries(Object.entries({ topics, directory, after }).filter(([, value]) => value !== undefined))
    const { out, connection } = await contextOf(command)
    const api = connect({ ...connection, timeoutMs: unendingMs })
    const body = await answer<ReadableStream<Uint8Array>>(
      api.GET('/api/v1/events', { params: { query }, parseAs: 'stream' }) as never,
    )
    let last = after
    try {
      for await (const event of eventsOf(body)) {
        if (event.data !== undefined && event.event === undefined) {
          const happened = JSON.parse(event.data) as Told
          out.data(out.json ? event.data : told(happened, out))
          last = happened.id
        }
        if (event.event === 'missed') out.say('Too much happened since to be told. From now on:')
      }
    } catch (error) {
      if (error instanceof Failure) throw error
    }
    throw new Failure(exit.failed, 'The server ended the stream.', `Go on with: muster events${last ? ` --after ${last}` : ''}`)
  })

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<{ id?: string; event?: string; data?: string }> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(/: ?(.*)/s).slice(0, 2)),
      )
      text = text.slice(end + 2)
    }
  }
}
