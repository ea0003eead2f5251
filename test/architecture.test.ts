import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { root, sourceFiles, withoutComments } from './support/source-files.ts'

interface Cruise {
  modules: { source: string; couldNotResolve?: boolean }[]
  summary: { violations: { rule: { name: string }; from: string; to: string }[] }
}

const cruise = (folder: string): Cruise => {
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [bin, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'src'],
    {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    },
  )
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

test('imports point down, in every file of src', () => {
  const { modules, summary } = cruise(root)
  expect(summary.violations.map(({ rule, from, to }) => `${from} → ${to}: ${rule.name}`)).toEqual([])
  // With a compiler that it cannot use, dependency-cruiser reads nothing and finds nothing.
  const read = modules.map(({ source }) => source).filter((source) => /^src\/.*[.]tsx?$/.test(source))
  expect(read.sort()).toEqual([...sourceFiles().keys()].map((path) => `src/${path}`).sort())
})

test('an import that points up is found in each room, of a type too', () => {
  const planted = {
    scim: '../database/planted.ts',
    database: '../organization/planted.ts',
    client: '../database/planted.ts',
    organization: '../provisioning/planted.ts',
    provisioning: '../review/planted.ts',
    review: '../sync/planted.ts',
    sync: '../push/planted.ts',
    push: '../provisioning/planted.ts',
    http: '../server/planted.ts',
    server: '../cli/planted.ts',
    cli: '../server/planted.ts',
    console: '../http/planted.ts',
  }
  const folder = copyWith(
    Object.fromEntries(
      Object.entries(planted).map(([room, target]) => [
        `src/${room}/planted.ts`,
        `import type { Planted as Theirs } from '${target}'\nexport type Planted = Theirs | 1\n`,
      ]),
    ),
  )
  try {
    const found = cruise(folder).summary.violations.map(({ from }) => dirname(from).replace('src/', ''))
    expect([...new Set(found)].sort()).toEqual(Object.keys(planted).sort())
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test("only the server's configuration and the command line's profile read the environment", () => {
  expect(readersOfEnvironment(sourceFiles())).toEqual(['cli/profile.ts', 'server/config.ts'])
  expect(
    readersOfEnvironment(
      new Map([
        ['sync/runs.ts', 'const { env } = process'],
        ['scim/path.ts', '// process.env is not read here'],
      ]),
    ),
  ).toEqual(['sync/runs.ts'])
})

const readersOfEnvironment = (files: Map<string, string>): string[] =>
  [...files]
    .filter(([, text]) => /process\.env\b|\benv\b[^\n]*=\s*process\b|from 'node:process'/.test(withoutComments(text)))
    .map(([path]) => path)

// The rules as they are, on files of our own making.
function copyWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'muster-architecture-'))
  for (const name of ['.dependency-cruiser.mjs', 'tsconfig.json', 'package.json']) cpSync(join(root, name), join(folder, name))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}
