import { readFileSync } from 'node:fs'
import { CannotStart } from '../database/cannot-start.ts'
import type { DatabasePlace } from '../database/open.ts'
import { readSecretKeys } from '../database/secrets.ts'
import { readAuditKey } from '../organization/audit-key.ts'
import { readAllowList } from '../outgoing/address.ts'

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** All that the environment says to the server. */
export interface ServerConfig {
  database: DatabasePlace
  host: string
  /** 0 is any free one. */
  port: number
  /** Where people and providers reach the server, without a slash at its end. Undefined: where it listens. */
  publicUrl: string | undefined
  logLevel: LogLevel
  /** SCIM requests a second that a directory may send, ten times that at once; 0: no limit. */
  scimRate: number
  /** The slug of the organization that the first owner's token is made in. */
  org: string
  /** Makes the first owner's API token on an empty database. */
  adminToken: string | undefined
  /** What heads of the log are signed with, PKCS#8 in PEM. Undefined: the one of the data folder, or none. */
  auditKey: string | undefined
  /** What secrets at rest are sealed with, the newest key first. Undefined: the one of the data folder. */
  secret: string | undefined
  /** What may be reached although it is private, and by http (rule 26). */
  outgoingAllow: string
  /** The mail server, `smtp://USER:PASSWORD@HOST:587`; undefined: no mails. */
  smtpUrl: string | undefined
  mailFrom: string
}

/** Names that begin with MUSTER_ and are the command line's, or ours. */
const known = [
  'MUSTER_DATA',
  'MUSTER_PUBLIC_URL',
  'MUSTER_ADMIN_TOKEN',
  'MUSTER_ADMIN_TOKEN_FILE',
  'MUSTER_AUDIT_KEY',
  'MUSTER_AUDIT_KEY_FILE',
  'MUSTER_SECRET',
  'MUSTER_SECRET_FILE',
  'MUSTER_OUTGOING_ALLOW',
  'MUSTER_SMTP_URL',
  'MUSTER_SMTP_URL_FILE',
  'MUSTER_MAIL_FROM',
  'MUSTER_ORG',
  'MUSTER_SCIM_RATE',
  'MUSTER_SERVER',
  'MUSTER_TOKEN',
  'MUSTER_TOKEN_FILE',
  'MUSTER_PROFILE',
  'MUSTER_CONFIG_DIR',
  'MUSTER_TARGET_TOKEN',
  'MUSTER_SOURCE_SECRET',
]

/** The slug of the first organization where none is named. */
export const usualOrg = 'default'

type Env = Record<string, string | undefined>

/** Reads the environment, all of it at once; an empty variable is one that is not set.
 * @throws CannotStart with every problem, a line each */
export function readConfig(env: Env = process.env): { config: ServerConfig; warnings: string[] } {
  const problems: string[] = []
  const given = (name: string) => (env[name] === '' ? undefined : env[name])
  const secret = (name: string) => secretOf(name, given, problems)
  const url = secret('DATABASE_URL')
  if (url !== undefined && !/^postgres(ql)?:\/\/./.test(url))
    problems.push('DATABASE_URL is no PostgreSQL address: it is postgres://USER:PASSWORD@HOST:5432/DATABASE.')
  const config: ServerConfig = {
    database: url === undefined ? { folder: given('MUSTER_DATA') ?? './data' } : { url },
    host: given('HOST') ?? '127.0.0.1',
    port: portOf(given('PORT') ?? '3030', problems),
    publicUrl: publicUrlOf(given('MUSTER_PUBLIC_URL'), problems),
    logLevel: logLevelOf(given('LOG_LEVEL') ?? 'info', problems),
    scimRate: rateOf(given('MUSTER_SCIM_RATE') ?? '50', problems),
    org: slugOf(given('MUSTER_ORG') ?? usualOrg, problems),
    adminToken: adminTokenOf(secret('MUSTER_ADMIN_TOKEN'), problems),
    auditKey: auditKeyOf(secret('MUSTER_AUDIT_KEY'), problems),
    secret: secretKeysOf(secret('MUSTER_SECRET'), problems),
    outgoingAllow: outgoingAllowOf(given('MUSTER_OUTGOING_ALLOW') ?? '', problems),
    smtpUrl: smtpUrlOf(secret('MUSTER_SMTP_URL'), problems),
    mailFrom: given('MUSTER_MAIL_FROM') ?? 'Muster <muster@localhost>',
  }
  if (problems.length > 0) throw new CannotStart(problems.join('\n'))
  return { config, warnings: unknownNames(env) }
}

/** What is in force, as lines of an environment file, with secrets masked. */
export function shownConfig({
  database,
  host,
  port,
  publicUrl,
  logLevel,
  scimRate,
  org,
  adminToken,
  auditKey,
  secret,
  outgoingAllow,
  smtpUrl,
  mailFrom,
}: ServerConfig): string {
  const shown = {
    ...('url' in database
      ? { DATABASE_URL: database.url.replace(/(:\/\/[^:@/]*):[^@]*@/, '$1:****@').replace(/(password=)[^&]*/i, '$1****') }
      : { MUSTER_DATA: database.folder }),
    HOST: host,
    PORT: port,
    MUSTER_PUBLIC_URL: publicUrl ?? publicUrlAt(host, port),
    LOG_LEVEL: logLevel,
    MUSTER_SCIM_RATE: scimRate,
    MUSTER_ORG: org,
    ...(adminToken === undefined ? {} : { MUSTER_ADMIN_TOKEN: '****' }),
    ...(auditKey === undefined ? {} : { MUSTER_AUDIT_KEY: '****' }),
    ...(secret === undefined ? {} : { MUSTER_SECRET: '****' }),
    ...(smtpUrl === undefined
      ? {}
      : { MUSTER_SMTP_URL: smtpUrl.replace(/(:\/\/[^:@/]*):[^@]*@/, '$1:****@'), MUSTER_MAIL_FROM: mailFrom }),
    ...(outgoingAllow === '' ? {} : { MUSTER_OUTGOING_ALLOW: outgoingAllow }),
  }
  return Object.entries(shown)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')
}

/** The address of a server that listens there; one that listens everywhere is reached on this machine. */
export function publicUrlAt(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

function secretOf(name: string, given: (name: string) => string | undefined, problems: string[]): string | undefined {
  const file = given(`${name}_FILE`)
  if (file === undefined) return given(name)
  if (given(name) !== undefined) problems.push(`${name} and ${name}_FILE are both set: unset one of them.`)
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    problems.push(`${name}_FILE: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

function portOf(value: string, problems: string[]): number {
  const port = Number(value)
  if (!/^\d+$/.test(value) || port > 65_535) problems.push(`PORT is ${value}: it is a number from 0 (any free port) to 65535.`)
  return port
}

// Below 25 a second Entra ID quarantines the directory.
function rateOf(value: string, problems: string[]): number {
  const rate = Number(value)
  if (!/^\d+$/.test(value) || (rate !== 0 && rate < 25) || rate > 1_000_000)
    problems.push(`MUSTER_SCIM_RATE is ${value}: it is a number of requests a second from 25, or 0 for no limit.`)
  return rate
}

function publicUrlOf(value: string | undefined, problems: string[]): string | undefined {
  if (value === undefined) return undefined
  const url = URL.parse(value)
  if (
    url &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === ''
  )
    return url.origin
  problems.push(
    `MUSTER_PUBLIC_URL is ${value}: it is http:// or https:// with a host, and no path, such as https://muster.example.org.`,
  )
}

function logLevelOf(value: string, problems: string[]): LogLevel {
  const level = logLevels.find((name) => name === value)
  if (level === undefined) problems.push(`LOG_LEVEL is ${value}: it is one of ${logLevels.join(', ')}.`)
  return level ?? 'info'
}

function slugOf(value: string, problems: string[]): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) {
    problems.push(`MUSTER_ORG is ${value}: it is 1 to 63 of a to z, 0 to 9 and -, beginning and ending with a letter or digit.`)
  }
  return value
}

function adminTokenOf(value: string | undefined, problems: string[]): string | undefined {
  if (value !== undefined && !/^[\x21-\x7e]{16,512}$/.test(value)) {
    problems.push(
      'MUSTER_ADMIN_TOKEN is too weak or cannot be sent: it is 16 to 512 visible ASCII characters without blanks; openssl rand -hex 32 makes one.',
    )
  }
  return value
}

function auditKeyOf(value: string | undefined, problems: string[]): string | undefined {
  if (value === undefined) return undefined
  try {
    readAuditKey(value)
  } catch {
    problems.push(
      'MUSTER_AUDIT_KEY is no Ed25519 key: it is PKCS#8 in PEM; openssl genpkey -algorithm ed25519 -out FILE makes one, and MUSTER_AUDIT_KEY_FILE names it.',
    )
  }
  return value
}

function secretKeysOf(value: string | undefined, problems: string[]): string | undefined {
  if (value === undefined) return undefined
  try {
    readSecretKeys(value)
  } catch (error) {
    problems.push(
      `MUSTER_SECRET holds no keys (${(error as Error).message}): openssl rand -hex 32 makes one; an older one stands behind it.`,
    )
  }
  return value
}

function smtpUrlOf(value: string | undefined, problems: string[]): string | undefined {
  if (value !== undefined && !/^smtps?:\/\/./.test(value))
    problems.push('MUSTER_SMTP_URL is no mail server: it is smtp://USER:PASSWORD@HOST:587, or smtps://…:465.')
  return value
}

function outgoingAllowOf(value: string, problems: string[]): string {
  try {
    readAllowList(value)
  } catch {
    problems.push(
      `MUSTER_OUTGOING_ALLOW is ${value}: it is hosts, addresses and networks between commas, such as ldap.corp.example,10.0.0.0/8.`,
    )
  }
  return value
}

const unknownNames = (env: Env): string[] =>
  Object.keys(env)
    .filter((name) => name.startsWith('MUSTER_') && !known.includes(name))
    .sort()
    .map((name) => `${name} is no setting of this version and has no effect. Settings are listed by muster serve --help.`)
