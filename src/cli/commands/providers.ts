import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { exit, Failure } from '../failure.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../lists.ts'
import type { Listed, SignInProvider } from '../shapes.ts'
import { providerList } from '../views/admins.ts'
import { print } from '../views/output.ts'

interface Settings {
  name?: string
  issuer?: string
  clientId?: string
  clientSecretStdin?: true
}

const withSettings = (command: Command) =>
  command
    .option('--issuer <url>', 'as the provider calls itself, to the letter')
    .option('--client-id <id>', 'what it calls us')
    .option('--client-secret-stdin', 'read the client secret from standard input')

async function settingsOf({ name, issuer, clientId, clientSecretStdin }: Settings) {
  const clientSecret = clientSecretStdin ? (await text(process.stdin)).trim() : undefined
  const given = { name, issuer, clientId, clientSecret }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

const list = addListOptions(new Command('list').description('the identity providers that people sign in by')).action(
  async (options: ListOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    const query = listQuery(options)
    printList(
      out,
      await answer<Listed<SignInProvider>>(api.GET('/api/v1/sign-in-providers', { params: { query } })),
      providerList,
    )
  },
)

const add = withSettings(new Command('add').description('have people sign in by an OpenID provider').argument('<name>')).action(
  async (name: string, options: Settings, command: Command) => {
    const { issuer, clientId } = options
    if (issuer === undefined || clientId === undefined)
      throw new Failure(exit.usage, 'A provider has an issuer and a client id.', 'Give both: --issuer URL --client-id ID')
    const { api, out } = await contextOf(command)
    const body = { name, issuer, clientId, ...(await settingsOf(options)) }
    const made = await answer<SignInProvider>(api.POST('/api/v1/sign-in-providers', { body }))
    print(out, made, () => providerList([made], out))
    out.say(`Enter this redirect URI at the provider: ${made.redirectUri}`)
  },
)

const set = withSettings(
  new Command('set')
    .description('change a provider')
    .argument('<provider>', 'its id, as listed')
    .option('--name <name>', 'its name'),
)
  .option('--enable', 'have people sign in by it')
  .option('--disable', 'have nobody sign in by it for now')
  .action(async (provider: string, options: Settings & { enable?: true; disable?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const enabled = options.enable ? { enabled: true } : options.disable ? { enabled: false } : {}
    const body = { ...(await settingsOf(options)), ...enabled }
    const changed = await answer<SignInProvider>(
      api.PATCH('/api/v1/sign-in-providers/{provider}', { params: { path: { provider } }, body }),
    )
    print(out, changed, () => providerList([changed], out))
  })

const remove = new Command('remove')
  .description('have nobody sign in by a provider any more')
  .argument('<provider>', 'its id, as listed')
  .action(async (provider: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    await answer(api.DELETE('/api/v1/sign-in-providers/{provider}', { params: { path: { provider } } }))
    out.say('Removed.')
  })

export const providers = new Command('providers')
  .description('identity providers that people sign in by (OpenID Connect): {list|add|set|remove}')
  .addCommand(list, { isDefault: true })
  .addCommand(add)
  .addCommand(set)
  .addCommand(remove)
