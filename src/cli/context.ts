import { type Command, Option } from 'commander'
import { type Api, answer, type Connection, connect } from './api.ts'
import { exit, Failure } from './failure.ts'
import { type Environment, environment, signIn } from './profile.ts'
import { type Output, outputTo } from './views/output.ts'

/** What every command that talks to a server takes. */
export interface CommonOptions {
  profile?: string
  org?: string
  server?: string
  json?: true
  plain?: true
  color?: boolean
  input?: boolean
  quiet?: true
  verbose?: true
  timeout?: number
}

/** Adds the options that every command takes; only the root's help lists them. `-o` is left out where a command has one of its own. */
export function addCommonOptions(command: Command): Command {
  const has = (flag: string) => command.options.some((option) => option.short === flag)
  const options = [
    new Option('-P, --profile <name>', 'the profile to use'),
    new Option(has('-o') ? '--org <name>' : '-o, --org <name>', 'refuse unless the token is of this organization'),
    new Option('--server <url>', 'the server'),
    new Option('--json', 'print the API’s own object'),
    new Option('--plain', 'print as into a pipe: tabs, exact, no colour'),
    new Option('--no-color', 'no colour'),
    new Option('--no-input', 'never ask'),
    new Option('-q, --quiet', 'no messages, data only'),
    new Option('-v, --verbose', 'show the requests on stderr'),
    new Option('--timeout <seconds>', 'how long to wait for an answer').argParser(seconds),
  ]
  const isRoot = command.name() === 'muster'
  for (const option of options) command.addOption(isRoot ? option : option.hideHelp())
  return isRoot
    ? command
    : command.addHelpText(
        'after',
        '\nBesides: -P, --server, --json, --plain, -q, -v and others that every command takes, see muster --help',
      )
}

/** The API, and how to print. */
export interface Context {
  api: Api
  out: Output
  connection: Connection
}

/** How to print, for a command without a server. */
export const outputOf = (command: Command, env: Environment = environment()): Output => outputTo(commonOptions(command), env)

/** Signs in as the options, the environment and the profiles say. Sends nothing, but for `--org`.
 * @throws Failure signIn */
export async function contextOf(command: Command): Promise<Context> {
  const options = commonOptions(command)
  const env = environment()
  const { server, token, org } = signIn(options, env)
  const connection: Connection = {
    server,
    token,
    timeoutMs: (options.timeout ?? 60) * 1_000,
    ...(options.verbose ? { trace: (line: string) => void process.stderr.write(`${line}\n`) } : {}),
  }
  const api = connect(connection)
  if (org !== undefined) await expectOrg(api, org)
  return { api, out: outputTo(options, env), connection }
}

// The token alone says which organization it is: a name given beside it can only be checked.
async function expectOrg(api: Api, org: string): Promise<void> {
  const { organization } = await answer<{ organization: { slug: string; name: string } }>(api.GET('/api/v1/whoami'))
  if (organization.slug === org || organization.name === org) return
  throw new Failure(
    exit.signIn,
    `This token is of the organization ${organization.slug}, not of ${org}.`,
    'Choose the profile or token of that organization.',
  )
}

/** The options of a command and its parents; the nearest wins. */
export function commonOptions(command: Command): CommonOptions {
  let found: CommonOptions = {}
  for (let at: Command | null = command; at; at = at.parent) {
    const given = Object.entries(at.opts<CommonOptions>()).filter(([name]) => isGiven(at, name))
    found = { ...Object.fromEntries(given), ...found }
  }
  return found
}

// `--no-color` and `--no-input` are true where they are not given.
const isGiven = (command: Command, name: string) => command.getOptionValueSource(name) !== 'default'

function seconds(given: string): number {
  const value = Number(given)
  if (!(value > 0)) throw new Failure(exit.usage, `--timeout takes seconds, not "${given}".`, 'For example --timeout 120')
  return value
}
