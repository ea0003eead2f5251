import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { answer, connect } from '../api.ts'
import { commonOptions, outputOf } from '../context.ts'
import { tokenByCode } from '../device-login.ts'
import { exit, Failure } from '../failure.ts'
import { environment, profilesPath, readProfiles, serverUrl, writeProfiles } from '../profile.ts'
import type { Whoami } from '../shapes.ts'
import { print } from '../views/output.ts'

export const login = new Command('login')
  .description('sign in by the browser, and keep the server and a token as a profile: muster login --server URL')
  .option('--token-stdin', 'read the token from standard input instead')
  .action(async ({ tokenStdin }: { tokenStdin?: true }, command: Command) => {
    const options = commonOptions(command)
    const env = environment()
    const path = profilesPath(env)
    const name = options.profile ?? env.profile ?? 'default'
    const before = readProfiles(path)
    const server = options.server ?? env.server ?? before.profiles[name]?.server
    if (server === undefined)
      throw new Failure(exit.usage, 'No server is named.', 'Name it: muster login --server https://muster.example.org')
    const url = serverUrl(server)
    const timeoutMs = (options.timeout ?? 60) * 1_000
    const out = outputOf(command, env)
    const given = tokenStdin ? (await text(process.stdin)).trim() : env.token
    if (tokenStdin && !given)
      throw new Failure(exit.usage, 'There is no token.', 'Give it on standard input: muster login --token-stdin < token.txt')
    const token = given ?? (await tokenByCode(connect({ server: url, timeoutMs }), out))
    const who = await answer<Whoami>(connect({ server: url, token, timeoutMs }).GET('/api/v1/whoami'))
    writeProfiles(path, {
      current: name,
      profiles: { ...before.profiles, [name]: { server: url, token, org: who.organization.slug } },
    })
    print(
      out,
      who,
      ({ organization, token }) => `Signed in to ${organization.name} as ${token.name} (${token.role}), profile ${name}.`,
    )
  })

export const logout = new Command('logout')
  .description('forget the profile’s token on this machine, and revoke it where it is one of muster login')
  .action(async (_options: object, command: Command) => {
    const env = environment()
    const path = profilesPath(env)
    const file = readProfiles(path)
    const name = commonOptions(command).profile ?? env.profile ?? file.current
    if (name === undefined || !file.profiles[name])
      throw new Failure(exit.failed, 'Nobody is signed in here.', 'See the profiles: muster profiles list')
    const { [name]: _, ...others } = file.profiles
    writeProfiles(path, {
      ...(file.current === name || file.current === undefined ? {} : { current: file.current }),
      profiles: others,
    })
    const { server, token } = file.profiles[name]
    const isRevoked = await answer(connect({ server, token, timeoutMs: 10_000 }).DELETE('/api/v1/session')).then(
      () => true,
      () => false,
    )
    outputOf(command, env).say(
      isRevoked ? `Signed out of ${server}.` : `Forgot the token of profile ${name}; the server keeps it until it is revoked.`,
    )
  })
