import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { root } from './support/source-files.ts'

// The console has the browser's types, which the server must not see.
test.each(['.', 'src/console'])('the types of %s agree', (project) => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['node_modules/typescript-7/bin/tsc', '-p', project], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(stdout + stderr).toBe('')
  expect(status).toBe(0)
})
