import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { exit, Failure } from './failure.ts'

/** Where a server is and how to sign in to it. */
export interface Profile {
  server: string
  token: string
  org?: string
}
export interface ProfileFile {
  current?: string
  profiles: Record<string, Profile>
}

/** The demo's own profile, in the clone: its commands work in any terminal without touching the person's configuration. */
export const demoFolder = resolve(import.meta.dirname, '../../demo-data')
export const demoProfile = 'demo'

/** The environment as the command line reads it: nothing else in `cli/` does. Empty counts as not set. */
export function environment(env: NodeJS.ProcessEnv = process.env) {
  const of = (name: string) => (env[name] === '' ? undefined : env[name])
  const configHome = of('XDG_CONFIG_HOME') ?? join(homedir(), '.config')
  return {
    server: of('MUSTER_SERVER'),
    token: of('MUSTER_TOKEN'),
    tokenFile: of('MUSTER_TOKEN_FILE'),
    org: of('MUSTER_ORG'),
    profile: of('MUSTER_PROFILE'),
    configFolder: of('MUSTER_CONFIG_DIR') ?? join(configHome, 'muster'),
    targetToken: of('MUSTER_TARGET_TOKEN'),
    sourceSecret: of('MUSTER_SOURCE_SECRET'),
    noColor: of('NO_COLOR') !== undefined,
    forceColor: (of('CLICOLOR_FORCE') ?? '0') !== '0',
    usesProxy: ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some((name) => of(name) !== undefined),
    isDumbTerminal: env.TERM === 'dumb',
  }
}
export type Environment = ReturnType<typeof environment>

export interface Flags {
  server?: string
  profile?: string
  org?: string
}

/** Where to send requests and as whom: flag before environment before profile.
 * @throws Failure signIn, where no server or no token is known */
export function signIn(flags: Flags, env: Environment): { server: string; token: string; org: string | undefined } {
  const name = flags.profile ?? env.profile
  const profile = name === undefined ? currentProfile(env) : namedProfile(name, env)
  // A profile that was named on the line is a flag: the environment does not override what is in it.
  const stored = flags.profile === undefined ? undefined : profile
  const server = flags.server ?? stored?.server ?? env.server ?? profile?.server
  if (server === undefined) throw noServer()
  const url = serverUrl(server)
  // A profile's token is for the profile's server, and is sent to no other.
  const own = profile && serverUrl(profile.server) === url ? profile.token : undefined
  const token = (stored ? own : undefined) ?? env.token ?? tokenFrom(env.tokenFile) ?? own
  if (token === undefined) {
    throw new Failure(
      exit.signIn,
      `There is no token for ${url}.`,
      'Set MUSTER_TOKEN, or run: muster login --server URL --token-stdin',
    )
  }
  return { server: url, token, org: flags.org ?? env.org }
}

/** A server's address without path and slash. */
export function serverUrl(given: string): string {
  const scheme = /^(localhost|127\.|\[::1\])/.test(given) ? 'http' : 'https'
  const url = URL.parse(/^https?:\/\//i.test(given) ? given : `${scheme}://${given}`)
  if (!url) throw new Failure(exit.usage, `"${given}" is no address of a server.`, 'Give one such as https://muster.example.org')
  return url.origin + url.pathname.replace(/\/+$/, '')
}

export const profilesPathIn = (folder: string): string => join(folder, 'config.json')
export const profilesPath = (env: Environment): string => profilesPathIn(env.configFolder)

export function readProfiles(path: string): ProfileFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { profiles: {} }
    throw new Failure(
      exit.failed,
      `${path} cannot be read: ${(error as Error).message}.`,
      'Make it readable, or set MUSTER_CONFIG_DIR.',
    )
  }
  try {
    const { current, profiles } = JSON.parse(text) as Partial<ProfileFile>
    return { ...(current === undefined ? {} : { current }), profiles: profiles ?? {} }
  } catch {
    throw new Failure(exit.failed, `${path} is not JSON.`, 'Mend it, or remove it and run: muster login')
  }
}

/** Writes profiles so that only their owner can read them, and never half. */
export function writeProfiles(path: string, file: ProfileFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const next = `${path}.${process.pid}`
  writeFileSync(next, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  chmodSync(next, 0o600)
  renameSync(next, path)
}

function currentProfile(env: Environment): Profile | undefined {
  const { current, profiles } = readProfiles(profilesPath(env))
  return current === undefined ? undefined : profiles[current]
}

// A name in config.json; the demo's; or, with a slash, a profile file of its own.
function namedProfile(name: string, env: Environment): Profile {
  const own = readProfiles(profilesPath(env)).profiles[name]
  if (own) return own
  const path = name === demoProfile ? profilesPathIn(demoFolder) : name
  const profile = name === demoProfile || /[/\\]/.test(name) ? readProfiles(path).profiles[demoProfile] : undefined
  if (profile) return profile
  throw new Failure(
    exit.usage,
    `There is no profile "${name}".`,
    name === demoProfile ? 'Start the demo first: npm run demo' : 'See which there are: muster profiles list',
  )
}

function tokenFrom(path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch (error) {
    throw new Failure(
      exit.signIn,
      `MUSTER_TOKEN_FILE cannot be read: ${(error as Error).message}.`,
      'Name a file that holds the token alone.',
    )
  }
}

const noServer = () =>
  new Failure(
    exit.signIn,
    'No server is chosen.',
    'Set MUSTER_SERVER and MUSTER_TOKEN, or run: muster login --server URL --token-stdin (while the demo runs: add -P demo)',
  )
