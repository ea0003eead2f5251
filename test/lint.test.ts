import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { root } from './support/source-files.ts'

const run = (bin: string, ...args: string[]) => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [`node_modules/${bin}`, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return { said: stdout + stderr, status }
}

test('Biome finds nothing to format or to mend', () => {
  const { said, status } = run('@biomejs/biome/bin/biome', 'check', '.')
  expect(status, said).toBe(0)
})

test('no file, export or dependency is unused', () => {
  const { said, status } = run('knip/bin/knip.js', '--no-progress')
  expect(status, said).toBe(0)
})
