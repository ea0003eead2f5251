import { readFile, stat } from 'node:fs/promises'
import type { Reach } from '../../outgoing/address.ts'
import type { ReadSource } from '../make-plan.ts'
import { type Source, SourceError, wholeSource } from '../source.ts'
import { readCsvFolder } from './csv-folder.ts'
import { filesOf } from './files.ts'
import { readJsonFolder } from './json-folder.ts'
import { readOkta } from './okta.ts'
import { readScim } from './scim.ts'
import { readSourceSettings, type SourceSettings } from './settings.ts'

/**
 * Reads what a command was given: a folder of CSV or JSON files, or a YAML or JSON file of settings.
 * @throws SourceError, Refusal `invalid_value`
 */
export async function readSourceAt(place: string, secret: string | undefined): Promise<ReadSource> {
  const isFile = await stat(place).then(
    (found) => found.isFile(),
    () => false,
  )
  const settings = isFile ? await settingsIn(place) : { kind: 'folder' as const, path: place }
  return { kind: settings.kind, place, source: await readSource(settings, secret, 'anywhere') }
}

async function settingsIn(file: string): Promise<SourceSettings> {
  const { parse } = await import('yaml')
  return readSourceSettings(parse(await readFile(file, 'utf8')))
}

/** Reads a source to its end. @throws SourceError */
export async function readSource(settings: SourceSettings, secret: string | undefined, reach: Reach): Promise<Source> {
  return wholeSource(await read(settings, secret, reach))
}

async function read(settings: SourceSettings, secret: string | undefined, reach: Reach): Promise<Source> {
  switch (settings.kind) {
    case 'folder':
      return (await filesOf(settings.path)).includes('users.json') ? readJsonFolder(settings.path) : readCsvFolder(settings.path)
    case 'ldap': {
      const { readLdap } = await import('./ldap.ts')
      return readLdap(settings, secret, reach)
    }
    case 'scim':
      return readScim(settings, secret, reach)
    case 'okta':
      return readOkta(settings, secret, reach)
    case 'built-in':
      throw new SourceError(['The organization’s own people and groups are read by its server alone'])
  }
}
