import { Command, Option } from 'commander'
import type { paths } from '../../../client/api-types.ts'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import type { NewDirectory } from '../../shapes.ts'
import { newDirectoryView } from '../../views/directories.ts'
import { print } from '../../views/output.ts'
import { addSettingOptions, type SettingOptions, settingsOf } from './settings.ts'

type Provider = paths['/api/v1/directories']['post']['requestBody']['content']['application/json']['provider']

// Those of the API: with one more, or one less, this does not compile.
const providers: Record<Provider, true> = {
  okta: true,
  entra: true,
  google: true,
  keycloak: true,
  jumpcloud: true,
  onelogin: true,
  ping: true,
  sailpoint: true,
  aws: true,
  ldap: true,
  other: true,
}

export const createDirectory = addSettingOptions(
  new Command('create')
    .description('connect a provider: a directory, and its first token')
    .argument('<name>')
    .addOption(new Option('--provider <kind>', 'what pushes').choices(Object.keys(providers)).default('other')),
)
  .option('--observe', 'accept everything, and let nothing become effective until it goes live')
  .action(async (name: string, options: SettingOptions & { provider: Provider; observe?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const body = { name, provider: options.provider, ...settingsOf(options), ...(options.observe ? { observing: true } : {}) }
    print(out, await answer<NewDirectory>(api.POST('/api/v1/directories', { body })), newDirectoryView)
    if (options.observe) out.say(`Nothing it pushes becomes effective before: muster directories go-live ${name}`)
    out.say('The token is shown this once: paste it at the provider now.')
  })
