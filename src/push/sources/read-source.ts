import type { ReadSource } from '../make-plan.ts'
import { wholeSource } from '../source.ts'
import { readCsvFolder } from './csv-folder.ts'
import { filesOf } from './files.ts'
import { readJsonFolder } from './json-folder.ts'

/**
 * Reads a source to its end.
 * @param place a folder of CSV or JSON files
 * @throws SourceError
 */
export async function readSourceAt(place: string, _secret: string | undefined): Promise<ReadSource> {
  const isJson = (await filesOf(place)).includes('users.json')
  return { kind: 'folder', place, source: wholeSource(await (isJson ? readJsonFolder(place) : readCsvFolder(place))) }
}
