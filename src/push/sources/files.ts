import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SourceError } from '../source.ts'

/** Reads a file of a folder that nobody writes meanwhile. @throws SourceError */
export async function readFileWhole(folder: string, file: string): Promise<Uint8Array> {
  const path = join(folder, file)
  try {
    const before = await stat(path)
    const bytes = await readFile(path)
    const after = await stat(path)
    if (bytes.length === after.size && before.mtimeMs === after.mtimeMs && before.ino === after.ino) return bytes
  } catch (error) {
    await filesOf(folder)
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'is missing' : `cannot be read (${code})`
    throw new SourceError(
      [`${file} ${why} in ${folder}`],
      'A source is users.csv, groups.csv and members.csv, or users.json and groups.json.',
    )
  }
  throw new SourceError([`${file} was written while it was read`], 'Push when it is whole: write it beside, then rename it.')
}

/** The names of a folder's files. @throws SourceError where there is no such folder */
export async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch {
    throw new SourceError([`There is no folder ${folder}`], 'Name one that holds users.csv, groups.csv and members.csv.')
  }
}
