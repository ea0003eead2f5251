import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { outputOf } from '../context.ts'
import { print } from '../views/output.ts'

/** This Muster's version, as its package says. */
export const version: string = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version

export const versionCommand = new Command('version')
  .description('which version this is')
  .action((_options: object, command: Command) =>
    print(outputOf(command), { version, node: process.versions.node }, ({ version }) => `muster ${version}`),
  )
