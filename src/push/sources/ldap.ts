import { connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Client, type Entry, ResultCodeError } from 'ldapts'
import { isListed, type Reach } from '../../outgoing/address.ts'
import { checkedLookup } from '../../outgoing/request.ts'
import { type Source, SourceError, type SourceUser } from '../source.ts'
import { dnKey, guidOf, ridOf } from './ldap-values.ts'
import { type DirectGroup, flattened, strangersNote } from './nesting.ts'
import type { LdapAttribute, SettingsOf } from './settings.ts'

type Settings = SettingsOf<'ldap'>

// Computers, which Active Directory has among its users, are left out later: of a class that a server does not know, «not» is never true.
const userFilter = '(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=user))'
const groupFilter = '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)(objectClass=group))'
const ids = ['entryUUID', 'objectGUID', 'nsUniqueId', 'ipaUniqueID']
const usual: Record<Exclude<LdapAttribute, 'id'>, string[]> = {
  userName: ['uid', 'sAMAccountName', 'userPrincipalName'],
  email: ['mail'],
  displayName: ['displayName', 'cn'],
  groupName: ['cn'],
  description: ['description'],
}

/**
 * Reads people and groups of a directory, page by page (RFC 2696): groupOfNames, groupOfUniqueNames, posixGroup, and Active Directory's
 * groups with their ranges and primary members.
 * @throws SourceError where a page, a range or the bind fails: nothing is concluded from a part
 */
export async function readLdap(settings: Settings, secret: string | undefined, reach: Reach): Promise<Source> {
  const client = opened(settings, reach)
  try {
    if (settings.startTls) await client.startTLS(tlsOf(settings))
    if (settings.bindDn !== undefined) await client.bind(settings.bindDn, secret ?? '')
    const people = await pages(client, settings, settings.userBase, settings.userFilter ?? userFilter, userAttributes(settings))
    const groups = await pages(
      client,
      settings,
      settings.groupBase,
      settings.groupFilter ?? groupFilter,
      groupAttributes(settings),
    )
    for (const group of groups) await readRanges(client, group)
    return sourceOf(people, groups, settings)
  } catch (error) {
    throw error instanceof SourceError
      ? error
      : new SourceError([`${settings.url} could not be read: ${reasonOf(error)}`], 'Nothing was concluded from a part of it.')
  } finally {
    await client.unbind().catch(() => {})
  }
}

function opened(settings: Settings, reach: Reach): Client {
  const { hostname, protocol } = new URL(settings.url)
  const isSecure = protocol === 'ldaps:' || settings.startTls === true
  if (!isSecure && reach !== 'anywhere' && !isListed(hostname, reach))
    throw new SourceError(
      [`${settings.url} is not encrypted`],
      'Use ldaps:// or startTls, or have the deployment allow it (MUSTER_OUTGOING_ALLOW).',
    )
  const lookup = checkedLookup(hostname, reach)
  return new Client({
    url: settings.url,
    timeout: 60_000,
    connectTimeout: 10_000,
    strictDN: false,
    ...(protocol === 'ldaps:' ? { tlsOptions: tlsOf(settings) } : {}), // Where there are any, it speaks TLS at once.
    createConnection: ((port: number, host: string) => connectTcp({ port, host, lookup })) as typeof connectTcp,
    createSecureConnection: ((first: number | object, host?: string, options?: object) =>
      connectTls(typeof first === 'number' ? { port: first, host, lookup, ...options } : first)) as typeof connectTls,
  })
}

const tlsOf = ({ ca, url }: Settings) => ({
  // An address has no server name (RFC 6066 §3); its certificate is checked by the address.
  ...(isIP(new URL(url).hostname) === 0 ? { servername: new URL(url).hostname } : { host: new URL(url).hostname }),
  minVersion: 'TLSv1.2' as const,
  ...(ca === undefined ? {} : { ca }),
})

async function pages(client: Client, { pageSize = 500 }: Settings, base: string, filter: string, attributes: string[]) {
  const entries = new Map<string, Entry>()
  const options = {
    scope: 'sub' as const,
    filter,
    attributes,
    paged: { pageSize },
    explicitBufferAttributes: ['objectGUID', 'objectSid'],
  }
  for await (const { searchEntries } of client.searchPaginated(base, options)) {
    for (const entry of searchEntries) {
      const key = dnKey(entry.dn)
      if (entries.has(key))
        throw new SourceError([`The directory shows ${entry.dn} twice`], 'Read it again when nobody else changes it.')
      entries.set(key, entry)
    }
  }
  return [...entries.values()]
}

// Active Directory shows 1,500 members at once: `member;range=0-1499`, and the last ones as `member;range=1500-*` ([MS-ADTS] 3.1.1.3.1.3.3).
async function readRanges(client: Client, group: Entry): Promise<void> {
  for (;;) {
    const key = Object.keys(group).find((name) => /^member;range=\d+-/i.test(name))
    if (key === undefined) return
    group.member = [...texts(group, 'member'), ...texts(group, key)]
    delete group[key]
    const end = /-(\d+|\*)$/.exec(key)?.[1]
    if (end === '*' || end === undefined) return
    const next = `member;range=${Number(end) + 1}-*`
    const { searchEntries } = await client.search(group.dn, { scope: 'base', attributes: [next] })
    const found = searchEntries[0]
    const range = Object.keys(found ?? {}).find((name) => /^member;range=/i.test(name))
    if (found === undefined || range === undefined)
      throw new SourceError([`The members of ${group.dn} after the first ${Number(end) + 1} could not be read`])
    group[range] = texts(found, range)
  }
}

const userAttributes = ({ attributes = {} }: Settings) => [
  ...given(attributes, 'id', ids),
  ...(['userName', 'email', 'displayName'] as const).flatMap((name) => given(attributes, name, usual[name])),
  'uid',
  'objectClass',
  'objectSid',
  'primaryGroupID',
  'userAccountControl',
  'nsAccountLock',
]
const groupAttributes = ({ attributes = {} }: Settings) => [
  ...given(attributes, 'id', ids),
  ...(['groupName', 'description'] as const).flatMap((name) => given(attributes, name, usual[name])),
  'member',
  'uniqueMember',
  'memberUid',
  'objectSid',
]
const given = (attributes: Settings['attributes'] & object, name: LdapAttribute, others: string[]): string[] => {
  const said = attributes[name]
  return said === undefined ? others : [said]
}

function sourceOf(people: Entry[], groups: Entry[], settings: Settings): Source {
  const { attributes = {} } = settings
  const value = (entry: Entry, name: Exclude<LdapAttribute, 'id'>) =>
    given(attributes, name, usual[name]).flatMap((one) => texts(entry, one))[0] ?? null
  const idOf = (entry: Entry) => given(attributes, 'id', ids).flatMap((one) => guidOf(entry[one]) ?? [])[0] ?? dnKey(entry.dn)
  const users: SourceUser[] = []
  const byDn = new Map<string, string>()
  const byUid = new Map<string, string>()
  const byPrimaryGroup = new Map<string, string[]>()
  const nameless: string[] = []
  for (const person of people) {
    if (texts(person, 'objectClass').some((one) => one.toLowerCase() === 'computer')) continue
    const userName = value(person, 'userName')
    if (userName === null) {
      nameless.push(person.dn)
      continue
    }
    const id = idOf(person)
    byDn.set(dnKey(person.dn), id)
    for (const uid of texts(person, 'uid')) byUid.set(uid, id)
    const primary = texts(person, 'primaryGroupID')[0]
    if (primary !== undefined) byPrimaryGroup.set(primary, [...(byPrimaryGroup.get(primary) ?? []), id])
    users.push({
      id,
      userName,
      email: value(person, 'email'),
      displayName: value(person, 'displayName'),
      active: isActive(person),
    })
  }
  if (nameless.length > 0)
    throw new SourceError(
      [`${nameless.length} people have no user name, ${nameless[0]} among them`],
      'Say which attribute it is: attributes.userName.',
    )
  const groupKeys = new Set(groups.map(({ dn }) => dnKey(dn)))
  const strangers = new Set<string>()
  const direct = groups.map((group): DirectGroup => {
    const members = [...texts(group, 'member'), ...texts(group, 'uniqueMember').map(withoutUid)]
    const found: string[] = []
    const nested: string[] = []
    for (const dn of members) {
      const key = dnKey(dn)
      const id = byDn.get(key)
      if (id !== undefined) found.push(id)
      else if (groupKeys.has(key)) nested.push(key)
      else strangers.add(dn)
    }
    for (const uid of texts(group, 'memberUid')) {
      const id = byUid.get(uid)
      if (id === undefined) strangers.add(uid)
      else found.push(id)
    }
    const rid = ridOf(group.objectSid)
    const primary = rid === undefined ? [] : (byPrimaryGroup.get(rid) ?? [])
    return {
      key: dnKey(group.dn),
      id: idOf(group),
      name: value(group, 'groupName') ?? group.dn,
      description: value(group, 'description'),
      people: [...new Set([...found, ...primary])],
      groups: nested,
    }
  })
  const notes = strangersNote(strangers, 'neither people nor groups where they are looked for')
  return { users, groups: flattened(direct), ...(notes.length > 0 ? { notes } : {}) }
}

// uniqueMember may have a bit string behind the name (RFC 4517 §3.3.21).
const withoutUid = (value: string) => value.replace(/#'[01]*'B$/, '')

// userAccountControl: bit 2 is ACCOUNTDISABLE ([MS-ADTS] 2.2.16); nsAccountLock: 389 Directory Server.
const isActive = (person: Entry): boolean =>
  (Number(texts(person, 'userAccountControl')[0] ?? 0) & 2) === 0 && texts(person, 'nsAccountLock')[0]?.toLowerCase() !== 'true'

function texts(entry: Entry, name: string): string[] {
  const key = Object.hasOwn(entry, name) ? name : Object.keys(entry).find((one) => one.toLowerCase() === name.toLowerCase())
  const value = key === undefined ? [] : entry[key]
  return [value].flat().flatMap((one) => (one === undefined || one.length === 0 ? [] : [one.toString()]))
}

function reasonOf(error: unknown): string {
  if (error instanceof ResultCodeError) return `${error.name} (${error.code}) ${error.message}`.trim()
  return error instanceof Error ? error.message || error.name : String(error)
}
