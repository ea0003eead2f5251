import { BlockList, isIP } from 'node:net'

/** Where requests may go. `anywhere` is for a command that its own user runs; a server gets the deployment's list. */
export type Reach = 'anywhere' | AllowList

/** Hosts (`ldap.corp.example`), addresses and networks (`10.0.0.0/8`) that may be reached although private, and by http. */
export interface AllowList {
  hosts: ReadonlySet<string>
  networks: BlockList
}

/** Reads a deployment's list, as `MUSTER_OUTGOING_ALLOW` has it: parts between commas. @throws Error on a network that is none */
export function readAllowList(text: string): AllowList {
  const hosts = new Set<string>()
  const networks = new BlockList()
  for (const part of text.split(',').map((one) => one.trim().toLowerCase())) {
    const [address = '', bits] = part.split('/')
    const family = familyOf(address)
    if (family === undefined && part !== '') hosts.add(part)
    else if (family !== undefined && bits === undefined) networks.addAddress(address, family)
    else if (family !== undefined) networks.addSubnet(address, Number(bits), family)
  }
  return { hosts, networks }
}

/** Whether a host was allowed by name or by the address that it is. */
export const isListed = (host: string, list: AllowList): boolean =>
  list.hosts.has(host.toLowerCase()) || isIn(list.networks, host)

/** Whether an address may be connected to: it is public, or was allowed. */
export const mayConnect = (address: string, host: string, list: AllowList): boolean =>
  !isIn(notPublic, address) || isListed(host, list) || isIn(list.networks, address)

/** The family of an address that is written as one, or undefined where it is a name. */
const familyOf = (address: string) => ({ 0: undefined, 4: 'ipv4' as const, 6: 'ipv6' as const })[isIP(address) as 0 | 4 | 6]

function isIn(list: BlockList, given: string): boolean {
  const address = given.replace(/^\[|\]$/g, '')
  const family = familyOf(address)
  if (family === undefined) return false
  // BlockList knows `::ffff:10.0.0.1` for 10.0.0.1, but not the deprecated `::10.0.0.1` nor NAT64's: those are listed below.
  return list.check(address, family)
}

// RFC 6890 and its registries: what is not of the public Internet.
const notPublic = new BlockList()
for (const network of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]) {
  const [address = '', bits] = network.split('/')
  notPublic.addSubnet(address, Number(bits), 'ipv4')
}
for (const network of [
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]) {
  const [address = '', bits] = network.split('/')
  notPublic.addSubnet(address, Number(bits), 'ipv6')
}
