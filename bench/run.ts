import { spawnSync } from 'node:child_process'

// All benchmarks, one after another: each has the machine to itself.

for (const bench of ['review', 'push', 'bulk', 'reads', 'request-log', 'sync', 'suggestions', 'log', 'scim', 'start']) {
  console.log(`\n# ${bench}`)
  const { status } = spawnSync(process.execPath, [new URL(`./${bench}.ts`, import.meta.url).pathname], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}
