import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { newAuditKey, readAuditKey } from '../../src/organization/audit-key.ts'
import { findAuditKey } from '../../src/server/audit-key.ts'
import { readConfig } from '../../src/server/config.ts'

test('beside the embedded database the key is made once, and nobody else can read it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-key-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { config } = readConfig({ MUSTER_DATA: folder })
  const key = findAuditKey(config, () => {})
  expect(findAuditKey(config, () => {})?.id).toBe(key?.id)
  expect(key?.id).toMatch(/^[0-9a-f]{16}$/)
  expect(statSync(join(folder, 'audit-key.pem')).mode & 0o777).toBe(0o600)
})

test('with a database of the operator’s the environment gives the key; without it heads are not signed, and that is said', () => {
  const database = { DATABASE_URL: 'postgres://muster@localhost/muster' }
  const pem = newAuditKey()
  expect(findAuditKey(readConfig({ ...database, MUSTER_AUDIT_KEY: pem }).config, () => {})?.id).toBe(readAuditKey(pem).id)
  const said: string[] = []
  expect(findAuditKey(readConfig(database).config, (line) => said.push(line))).toBeUndefined()
  expect(said).toEqual(['Heads of the log are not signed: MUSTER_AUDIT_KEY_FILE names no key.'])
  expect(() => readConfig({ ...database, MUSTER_AUDIT_KEY: 'a secret' })).toThrow('MUSTER_AUDIT_KEY is no Ed25519 key')
})
