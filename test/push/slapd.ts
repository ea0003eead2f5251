import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Source } from '../../src/push/source.ts'
import { freePort } from '../support/server.ts'

/** A real slapd with entries of its own. */
export interface Slapd {
  url: string
  secureUrl: string
  /** The authority of its certificate, PEM. */
  ca: string
  stop(): void
}

const unprivileged = 65_534

/** Whether there is a slapd: installed here where it is missing, this is root, and the package can be had. */
export function hasSlapd(): boolean {
  if (existsSync('/usr/sbin/slapd')) return true
  if (process.getuid?.() !== 0) return false
  spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'slapd'], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 60_000,
  })
  return existsSync('/usr/sbin/slapd')
}

/** Starts slapd on entries, as LDIF below `dc=example,dc=org`; `limits` are lines of slapd.conf(5). */
export async function startSlapd(ldif: string, limits = ''): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-slapd-'))
  chmodSync(folder, 0o755)
  const data = join(folder, 'data')
  mkdirSync(data)
  const schemas = ['core', 'cosine', 'nis', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`)
  const conf = join(folder, 'slapd.conf')
  writeFileSync(
    conf,
    [
      ...schemas,
      'modulepath /usr/lib/ldap',
      'moduleload back_mdb',
      `pidfile ${folder}/slapd.pid`,
      'sizelimit unlimited',
      `TLSCertificateFile ${folder}/cert.pem`,
      `TLSCertificateKeyFile ${folder}/key.pem`,
      'database mdb',
      'suffix "dc=example,dc=org"',
      'rootdn "cn=admin,dc=example,dc=org"',
      'rootpw secret',
      `directory ${data}`,
      'maxsize 268435456',
      'dbnosync',
      limits,
      'access to * by dn.exact="cn=reader,dc=example,dc=org" read by anonymous auth by * none',
      '',
    ].join('\n'),
  )
  const root = `dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n${[
    'people',
    'groups',
  ]
    .map((ou) => `dn: ou=${ou},dc=example,dc=org\nobjectClass: organizationalUnit\nou: ${ou}\n\n`)
    .join(
      '',
    )}dn: cn=reader,dc=example,dc=org\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: reads\n\n`
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    ...subject,
    '-keyout',
    `${folder}/key.pem`,
    '-out',
    `${folder}/cert.pem`,
  ])
  const added = spawnSync('/usr/sbin/slapadd', ['-q', '-f', conf], { input: root + ldif, encoding: 'utf8' })
  if (added.status !== 0) throw new Error(added.stderr)
  const isRoot = process.getuid?.() === 0
  if (isRoot)
    for (const path of [folder, data, `${folder}/key.pem`, `${data}/data.mdb`, `${data}/lock.mdb`])
      chownSync(path, unprivileged, unprivileged)
  const port = await freePort()
  const url = `ldap://127.0.0.1:${port}`
  const secureUrl = `ldaps://127.0.0.1:${await freePort()}`
  const child = spawn('/usr/sbin/slapd', ['-f', conf, '-h', `${url} ${secureUrl}`, '-d', '0'], {
    stdio: 'ignore',
    ...(isRoot ? { uid: unprivileged, gid: unprivileged } : {}),
  })
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries === 500 || child.exitCode !== null) throw new Error('slapd does not answer')
    await sleep(10)
  }
  return {
    url,
    secureUrl,
    ca: readFileSync(join(folder, 'cert.pem'), 'utf8'),
    stop: () => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.unref()
    socket.once('connect', () => socket.destroy())
  })

/** A source as LDIF: a third of the groups groupOfNames, a third groupOfUniqueNames, a third posixGroup. */
export function ldifOf({ users, groups }: Source): string {
  const dn = (userName: string) => `uid=${userName},ou=people,dc=example,dc=org`
  const people = users.map(({ userName, email, displayName }) =>
    entry(dn(userName), {
      objectClass: ['inetOrgPerson'],
      uid: [userName],
      cn: [displayName ?? userName],
      sn: [userName],
      displayName: displayName === null ? [] : [displayName],
      mail: email === null ? [] : [email],
    }),
  )
  const teams = groups.map(({ name, description, members }, i) => {
    const kinds = [
      { objectClass: ['groupOfNames'], member: members.length === 0 ? ['cn=nobody'] : members.map(dn) },
      { objectClass: ['groupOfUniqueNames'], uniqueMember: members.length === 0 ? ['cn=nobody'] : members.map(dn) },
      { objectClass: ['posixGroup'], gidNumber: [String(i + 1_000)], memberUid: members },
    ]
    const rdn = name.replace(/[,+"\\<>;=#]/g, (char) => `\\${char}`)
    return entry(`cn=${rdn},ou=groups,dc=example,dc=org`, {
      cn: [name],
      description: description === null ? [] : [description],
      ...kinds[i % 3],
    })
  })
  return [...people, ...teams].join('')
}

/** An entry of LDIF (RFC 2849), values in Base64. */
export function entry(dn: string, attributes: Record<string, string[]>): string {
  const line = (name: string, value: string) => `${name}:: ${Buffer.from(value).toString('base64')}\n`
  const values = Object.entries(attributes).flatMap(([name, all]) => all.map((value) => line(name, value)))
  return `${line('dn', dn)}${values.join('')}\n`
}
