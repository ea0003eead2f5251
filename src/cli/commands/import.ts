import { isUtf8 } from 'node:buffer'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { type Api, answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { exit, Failure } from '../failure.ts'
import type { ImportReport } from '../shapes.ts'
import { importView } from '../views/import.ts'
import { print } from '../views/output.ts'

const files = ['users', 'groups', 'members', 'access'] as const

export const importCommand = new Command('import')
  .description('bring in an organization: users.csv, groups.csv, members.csv, access.csv, all or nothing')
  .argument('<folder>')
  .action(async (folder: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    print(out, await importFolder(api, folder), importView)
  })

/** Imports the CSV files of a folder, as many of the four as it has. */
export async function importFolder(api: Api, folder: string): Promise<ImportReport> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Failure(exit.failed, `There is no folder ${folder}.`, holding)
  const found = files.flatMap((name) => {
    const text = readIfThere(join(folder, `${name}.csv`))
    return text === undefined ? [] : [[name, text] as const]
  })
  if (found.length === 0) {
    throw new Failure(exit.failed, `There is nothing to import in ${folder}.`, holding)
  }
  return answer<ImportReport>(api.POST('/api/v1/imports', { body: Object.fromEntries(found) }))
}

const holding = 'Name a folder that holds users.csv, groups.csv, members.csv or access.csv.'

function readIfThere(path: string): string | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Failure(exit.failed, `${path} cannot be read: ${(error as Error).message}.`, 'Make it readable.')
  }
  // What JSON cannot carry to the server is found here.
  const notUtf8 = lineOf(bytes, (part) => !isUtf8(part))
  if (notUtf8 !== undefined) throw unreadable(path, notUtf8, 'is not UTF-8')
  const withNul = lineOf(bytes, (part) => part.includes(0))
  if (withNul !== undefined) throw unreadable(path, withNul, 'holds the character U+0000')
  return bytes.toString()
}

const unreadable = (path: string, line: number, why: string) =>
  new Failure(exit.failed, `Nothing was imported: ${path}, line ${line} ${why}.`, 'Save the file as UTF-8 and import again.')

/** The first line, from 1, of which something is so; undefined if it is so of none. */
function lineOf(bytes: Buffer, isSo: (part: Buffer) => boolean): number | undefined {
  if (!isSo(bytes)) return undefined
  for (let line = 1, from = 0; ; line++) {
    const end = bytes.indexOf('\n', from)
    if (end === -1 || isSo(bytes.subarray(from, end))) return line
    from = end + 1
  }
}
