import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { root } from './support/source-files.ts'

test('the types agree', () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['node_modules/typescript-7/bin/tsc', '-p', '.'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(stdout + stderr).toBe('')
  expect(status).toBe(0)
})
