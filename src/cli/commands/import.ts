import { readFileSync } from 'node:fs'
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
  const found = files.flatMap((name) => {
    const text = readIfThere(join(folder, `${name}.csv`))
    return text === undefined ? [] : [[name, text] as const]
  })
  if (found.length === 0) {
    throw new Failure(
      exit.failed,
      `There is nothing to import in ${folder}.`,
      'Name a folder that holds users.csv, groups.csv, members.csv or access.csv.',
    )
  }
  return answer<ImportReport>(api.POST('/api/v1/imports', { body: Object.fromEntries(found) }))
}

function readIfThere(path: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (error instanceof TypeError) throw new Failure(exit.failed, `${path} is not UTF-8.`, 'Save the file as UTF-8.')
    throw new Failure(exit.failed, `${path} cannot be read: ${(error as Error).message}.`, 'Make it readable.')
  }
}
