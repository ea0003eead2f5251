import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { request } from '../../client/client.ts'
import { apiOptions, explained } from '../api.ts'
import { contextOf } from '../context.ts'
import { exit, Failure } from '../failure.ts'
import { again } from '../lists.ts'

export const api = new Command('api')
  .description('call any path of the API: muster api GET /api/v1/groups -f limit=3')
  .argument('<method>')
  .argument('<path>')
  .option('-f, --field <name=value>', 'a value of the query (GET) or of the body; JSON is read as JSON', again)
  .option('--input <file>', 'the body: a JSON file, or - for standard input')
  .action(async (method: string, path: string, options: { field?: string[]; input?: string }, command: Command) => {
    if (!path.startsWith('/'))
      throw new Failure(exit.usage, `"${path}" is no path.`, 'Begin it with a slash: muster api GET /api/v1/whoami')
    const { out, connection } = await contextOf(command)
    const fields = (options.field ?? []).map(readField)
    const isRead = ['GET', 'HEAD', 'DELETE'].includes(method.toUpperCase())
    const given = isRead ? { query: Object.fromEntries(fields) } : { body: await bodyOf(options.input, fields) }
    const answer = await explained(request(apiOptions(connection), method.toUpperCase(), path, given))
    if (answer !== undefined)
      out.data(typeof answer === 'string' ? answer : JSON.stringify(answer, null, process.stdout.isTTY ? 2 : undefined))
  })

function readField(field: string): [name: string, value: string] {
  const at = field.indexOf('=')
  if (at < 1) throw new Failure(exit.usage, `"${field}" is no field.`, 'Write it as -f name=value')
  return [field.slice(0, at), field.slice(at + 1)]
}

async function bodyOf(input: string | undefined, fields: [string, string][]): Promise<unknown> {
  if (input === undefined)
    return fields.length === 0 ? undefined : Object.fromEntries(fields.map(([name, value]) => [name, jsonOr(value)]))
  try {
    return JSON.parse(input === '-' ? await text(process.stdin) : readFileSync(input, 'utf8'))
  } catch (error) {
    throw new Failure(
      exit.usage,
      `The body cannot be read: ${(error as Error).message}.`,
      'Give JSON: --input FILE, or - for standard input',
    )
  }
}

function jsonOr(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
