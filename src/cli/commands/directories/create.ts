import { Command, Option } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import type { NewDirectory } from '../../shapes.ts'
import { newDirectoryView } from '../../views/directories.ts'
import { print } from '../../views/output.ts'
import { addSettingOptions, type SettingOptions, settingsOf } from './settings.ts'

const providers = [
  'okta',
  'entra',
  'google',
  'keycloak',
  'jumpcloud',
  'onelogin',
  'ping',
  'sailpoint',
  'aws',
  'ldap',
  'other',
] as const

export const createDirectory = addSettingOptions(
  new Command('create')
    .description('connect a provider: a directory, and its first token')
    .argument('<name>')
    .addOption(new Option('--provider <kind>', 'what pushes').choices(providers).default('other')),
).action(async (name: string, options: SettingOptions & { provider: (typeof providers)[number] }, command: Command) => {
  const { api, out } = await contextOf(command)
  const body = { name, provider: options.provider, ...settingsOf(options) }
  print(out, await answer<NewDirectory>(api.POST('/api/v1/directories', { body })), newDirectoryView)
  out.say('The token is shown this once: paste it at the provider now.')
})
