import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { exit, Failure } from './failure.ts'

/** A piece of a provider's list as the API takes it, and the line of the file that it begins behind. */
export interface Part {
  line: number
  body: { csv: string } | { groups: { name: string; members: string[] }[] }
}

// About 2 MiB: some seconds' work, and far below what the server takes at once.
const linesAtOnce = 50_000

/**
 * Reads a provider's list piece by piece: CSV (`group,user_name`), or JSON (`[{"name", "members"}]`) where the file's name ends in .json.
 * @throws Failure where the file cannot be read, or was cut
 */
export async function* partsOf(file: string): AsyncGenerator<Part> {
  try {
    yield* file.endsWith('.json') ? partsOfJson(await readFile(file, 'utf8')) : partsOfCsv(file)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(exit.failed, `${file} cannot be read: ${(error as Error).message}.`, 'Nothing was concluded.')
  }
}

// A line end inside quotes is none of a record.
async function* partsOfCsv(file: string): AsyncGenerator<Part> {
  if (!(await endsWithLine(file)))
    throw new Failure(
      exit.failed,
      `${file} does not end with a line break. Was it cut?`,
      'Nothing was concluded. If it is whole, end it with a line break.',
    )
  let [header, lines, line, begin, isQuoted]: [string | undefined, string[], number, number, boolean] = [
    undefined,
    [],
    0,
    1,
    false,
  ]
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    line++
    if ((text.match(/"/g)?.length ?? 0) % 2 === 1) isQuoted = !isQuoted
    if (header === undefined) {
      header = text
      continue
    }
    lines.push(text)
    if (lines.length < linesAtOnce || isQuoted) continue
    yield { line: begin - 1, body: { csv: `${[header, ...lines].join('\n')}\n` } }
    ;[lines, begin] = [[], line]
  }
  if (isQuoted)
    throw new Failure(exit.failed, `${file} ends inside quotes. Was it cut?`, 'Nothing was concluded. Export it again.')
  if (lines.length > 0 || begin === 1) yield { line: begin - 1, body: { csv: `${[header ?? '', ...lines].join('\n')}\n` } }
}

async function endsWithLine(file: string): Promise<boolean> {
  let last = ''
  for await (const chunk of createReadStream(file, 'latin1')) last = String(chunk).slice(-1)
  return last === '\n' || last === '\r'
}

function* partsOfJson(text: string): Generator<Part> {
  const groups = JSON.parse(text) as { name: string; members: string[] }[]
  if (!Array.isArray(groups))
    throw new Failure(exit.failed, 'The list is no JSON array.', 'Write it as [{"name": "Sales", "members": ["ada"]}]')
  let [piece, size]: [typeof groups, number] = [[], 0]
  for (const { name, members = [] } of groups) {
    for (let from = 0; from === 0 || from < members.length; from += linesAtOnce) {
      const some = members.slice(from, from + linesAtOnce)
      piece.push({ name, members: some })
      size += some.length + 1
      if (size < linesAtOnce) continue
      yield { line: 0, body: { groups: piece } }
      ;[piece, size] = [[], 0]
    }
  }
  if (piece.length > 0) yield { line: 0, body: { groups: piece } }
}
