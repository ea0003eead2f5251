import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { Command } from 'commander'
import { answer, connect } from '../../api.ts'
import { commonOptions, contextOf } from '../../context.ts'
import { exit, Failure } from '../../failure.ts'
import { wholeNumber } from '../../lists.ts'

interface Options {
  out?: string
  after: number
}

// A long log takes a while.
const usualTimeoutMs = 3_600_000

export const exportAudit = new Command('export')
  .description('the whole log with its seals, a line of JSON each, for: muster audit verify FILE')
  .option('-o, --out <file>', 'the file; standard output if not said')
  .option('--after <block>', 'begin behind this block, whose head was kept', wholeNumber, 0)
  .action(async ({ out: file, after }: Options, command: Command) => {
    const { out, connection } = await contextOf(command)
    const timeoutMs = commonOptions(command).timeout === undefined ? usualTimeoutMs : connection.timeoutMs
    const api = connect({ ...connection, timeoutMs })
    const body = await answer<ReadableStream>(
      api.GET('/api/v1/audit/export', { params: { query: { after } }, parseAs: 'stream' }) as never,
    )
    try {
      await pipeline(Readable.fromWeb(body), file === undefined ? process.stdout : createWriteStream(file), {
        end: file !== undefined,
      })
    } catch (error) {
      throw new Failure(exit.failed, `The export was cut: ${(error as Error).message}.`, 'Export again.')
    }
    if (file !== undefined) out.say(`Exported to ${file}. Next: muster audit verify ${file}`)
  })
