import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Command, Option } from 'commander'
import { expect, test } from 'vitest'
import { program } from '../src/cli/program.ts'
import { groupReasons, groupStates, runResults, runStates, userReasons, userStates } from '../src/database/tables.ts'
import { warningCodes } from '../src/review/warnings.ts'
import { root, sourceFiles } from './support/source-files.ts'

// What the documents say that can be looked up.

const muster = program()

const documents = new Map(
  ['README.md', 'CONTRIBUTING.md', 'sample/**/*.md', 'docs/**/*.md']
    .flatMap((pattern) => globSync(pattern, { cwd: root }).sort())
    // What is to be, not what is.
    .filter((path) => !path.startsWith('docs/specification/') || path.endsWith('README.md'))
    .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
)
const textOf = (path: string): string => documents.get(path) ?? ''

test('the documents are read', () => {
  expect([...documents.keys()]).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/architecture.md']))
  expect(wrongIn(documents, wrongCommands).length + codeIn(textOf('docs/reference-cli.md')).length).toBeGreaterThan(50)
})

test('npx runs the command line of the clone, as npm does it the first time', () => {
  const cache = mkdtempSync(join(tmpdir(), `muster-test-${process.pid}-`))
  try {
    const env = { ...process.env, npm_config_cache: cache }
    expect(execFileSync('npx', ['--offline', 'muster', 'version'], { cwd: root, env, encoding: 'utf8' })).toMatch(/^muster \d/)
  } finally {
    rmSync(cache, { recursive: true })
  }
})

test('every npm script that a document names is in package.json', () => {
  expect(wrongIn(documents, wrongScripts)).toEqual([])
  expect(wrongScripts('`npm run nothing` and `npm test`')).toEqual(['npm run nothing'])
})

test('every command and option that a document names is in the command line', () => {
  expect(wrongIn(documents, wrongCommands)).toEqual([])
  const wrong = ['`muster groups grow`', '`npx muster -P demo sync --everything`', '`muster snyc`', '`--max-found 3`']
  expect(wrong.flatMap(wrongCommands)).toEqual([
    'muster groups grow',
    'muster -P demo sync --everything',
    'muster snyc',
    '--max-found',
  ])
})

test('every command and option of the command line is in its reference', () => {
  const text = textOf('docs/reference-cli.md')
  const commands = leavesOf(muster)
  expect(commands.length).toBeGreaterThan(30)
  expect(commands.map(({ name }) => name).filter((name) => !text.includes(`\`${name}`))).toEqual([])
  const options = commands.flatMap(({ command }) => command.options.map((option) => option.long ?? option.short ?? ''))
  expect([...new Set(options)].filter((option) => !text.includes(option))).toEqual([])
})

test('every action of the log is in its reference', () => {
  const actions = [...(sourceFiles().get('organization/log.ts') ?? '').matchAll(/^ {2}\| '([a-z]+\.[a-z_]+)'$/gm)].map(
    ([, action]) => action,
  )
  expect(actions.length).toBeGreaterThan(40)
  expect(actions.filter((action) => !textOf('docs/reference-log.md').includes(`\`${action}\``))).toEqual([])
})

test('the variables that the documents name are those that the code reads', () => {
  const known = variablesRead()
  expect(known.length).toBeGreaterThan(20)
  expect(wrongIn(documents, (text) => variablesNamed(text).filter((name) => !known.includes(name)))).toEqual([])
  expect(known.filter((name) => !textOf('docs/reference-configuration.md').includes(`\`${name}\``))).toEqual([])
  expect(variablesNamed('| variable | what |\n| --- | --- |\n| `PROT` | a port |\n\nSet `MUSTER_DATE`.')).toEqual([
    'MUSTER_DATE',
    'PROT',
  ])
})

test('every link between documents leads somewhere', () => {
  expect([...documents].flatMap(([path, text]) => wrongLinks(path, text))).toEqual([])
  expect(wrongLinks('README.md', '[a](docs/nothing.md) [b](docs/architecture.md#nowhere) [c](#settings)')).toEqual([
    'README.md: docs/nothing.md',
    'README.md: docs/architecture.md#nowhere',
  ])
})

test('every state, reason, warning and problem type is in its reference', () => {
  const text = textOf('docs/reference-states.md')
  const codes = [...unionIn('http/failure.ts', 'FailureCode'), ...unionIn('organization/refusal.ts', 'RefusalCode')]
  const stored = [...groupStates, ...userStates, ...groupReasons, ...userReasons, ...runStates, ...runResults]
  const words = [...stored, ...unionIn('sync/runs.ts', 'SkipReason'), ...warningCodes, ...codes]
  expect(codes.length).toBeGreaterThan(25)
  expect(words.filter((word) => !text.includes(`\`${word}\``))).toEqual([])
})

test('the map has every file of the rooms, and no other', () => {
  const text = textOf('docs/architecture.md').split('## Who may import what')[0] ?? ''
  const rooms = [...text.matchAll(/^\*\*(\w+)\/\*\*(.*?)(?=^\*\*\w+\/\*\*|(?![\s\S]))/gms)]
  const named = rooms.flatMap(([, room, about = '']) =>
    [...about.matchAll(/`([\w/-]+\.tsx?)`/g)].map(([, file]) => `${room}/${file}`),
  )
  // A command, a view, a page, a part and a migration a file: their names say it.
  const files = [...sourceFiles().keys()].filter(
    (path) => !/^database\/migrations\/|^cli\/(commands|views)\/|^console\/(data|pages|parts)\//.test(path),
  )
  expect(rooms.length).toBeGreaterThan(9)
  expect([...new Set(named)].sort()).toEqual(files.sort())
})

test('every test that is said to prove a rule is there', () => {
  const table = textOf('docs/architecture.md').split('## Which test proves which rule')[1]?.split('\n## ')[0] ?? ''
  const rows = [...table.matchAll(/^\| ([\d ]+) \| (.+) \|$/gm)]
  const files = rows.flatMap(([, , named = '']) => [...named.matchAll(/`([^`]+)`/g)].map(([, file]) => `test/${file}`))
  expect(rows.flatMap(([, rules = '']) => rules.split(' ').map(Number)).filter((rule) => rule <= 24)).toHaveLength(24)
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
})

/** What stands in code, line by line: blocks (but those of another language), and words between backticks. */
function codeIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'))
  const words = [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word)
  return [...blocks, ...words]
}

function wrongIn(all: ReadonlyMap<string, string>, wrong: (text: string) => string[]): string[] {
  return [...all].flatMap(([path, text]) => wrong(text).map((what) => `${path}: ${what}`))
}

function wrongScripts(text: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  return codeIn(text)
    .flatMap((line) => [...line.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)])
    .filter(([, run, short]) => scripts[run ?? short ?? ''] === undefined)
    .map(([said]) => said)
}

function wrongCommands(text: string): string[] {
  return codeIn(text).flatMap((line) => {
    const commands = [...line.matchAll(/(?<![\w/])muster ([^|<>&#;"`()]+)/g)].map(([, words = '']) => words.trim().split(/\s+/))
    if (commands.length > 0)
      return commands.filter((words) => !isCommand(muster, words)).map((words) => `muster ${words.join(' ')}`)
    const option = /^(--?[a-z][\w-]*)/.exec(line)?.[1]
    return option === undefined || anyOption().has(option) ? [] : [option]
  })
}

/** Walks down the commands, then looks up each option on the command where it stands. */
function isCommand(command: Command, words: readonly string[]): boolean {
  const [word, ...rest] = words
  if (word === undefined) return true
  if (word.startsWith('-') && word !== '-' && word !== '-h') {
    const [name, value] = word.split('=', 2)
    const option = command.options.find(({ long, short }) => long === name || short === name)
    if (option === undefined) return name === '--help'
    return isCommand(command, option.required && value === undefined ? rest.slice(1) : rest)
  }
  if (command.commands.length === 0) return isCommand(command, rest)
  const below = command.commands.find((each) => each.name() === word)
  if (below) return isCommand(below, rest)
  return word === 'help' || !/^[a-z-]+$/.test(word)
}

const optionsOf = (command: Command): readonly Option[] => [...command.options, ...command.commands.flatMap(optionsOf)]
const ofOthers = ['--help', '--omit', '--project', '-t', '-a']
const anyOption = () => new Set([...optionsOf(muster).flatMap(({ long, short }) => [long, short]), ...ofOthers])

function leavesOf(command: Command, above = ''): { name: string; command: Command }[] {
  const name = `${above} ${command.name()}`.trim()
  if (command.commands.length === 0) return [{ name, command }]
  return command.commands.flatMap((below) => leavesOf(below, name))
}

/** Every MUSTER_ name, and what stands first in a row of a table of variables. */
function variablesNamed(text: string): string[] {
  const anywhere = [...text.matchAll(/\bMUSTER_\w+/g)].map(([name]) => name)
  const tables = [...text.matchAll(/^\| variable \|.*\n(?:\|.*\n?)*/gm)].map(([table]) => table)
  const first = tables.flatMap((table) => [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = '']) => name))
  return [...new Set([...anywhere, ...first])]
}

function variablesRead(): string[] {
  const files = sourceFiles()
  const server = files.get('server/config.ts') ?? ''
  const given = [...server.matchAll(/\bgiven\('(\w+)'\)/g)].map(([, name = '']) => name)
  const secret = [...server.matchAll(/\bsecret\('(\w+)'\)/g)].flatMap(([, name]) => [`${name}`, `${name}_FILE`])
  const line = [...(files.get('cli/profile.ts') ?? '').matchAll(/\bof\('(\w+)'\)|\benv\.([A-Z]\w*)|'(https?_proxy)'/gi)]
  return [...new Set([...given, ...secret, ...line.map(([, of, env, proxy]) => of ?? env ?? proxy ?? '')])].filter((name) =>
    /^[A-Z_]+$|_proxy$/.test(name),
  )
}

function wrongLinks(path: string, text: string): string[] {
  const targets = [...text.replace(/^```.*?^```/gms, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets
    .filter((target) => !/^https?:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#')
      const place = file === '' ? path : join(dirname(path), file)
      if (!existsSync(join(root, place))) return true
      return anchor !== undefined && !anchorsIn(readFileSync(join(root, place), 'utf8')).includes(anchor)
    })
    .map((target) => `${path}: ${target}`)
}

// As GitHub names headings.
const anchorsIn = (text: string): string[] =>
  [...text.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

/** The words of a union type, as the file has it. */
function unionIn(file: string, name: string): string[] {
  const type = new RegExp(`type ${name} =((?:\\s*\\|?\\s*'\\w+')+)`).exec(sourceFiles().get(file) ?? '')?.[1] ?? ''
  return [...type.matchAll(/'(\w+)'/g)].map(([, word = '']) => word)
}
