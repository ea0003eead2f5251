/** How a service likes to be spoken to: learnt, or said. */
export interface TargetProfile {
  name: ProfileName
  /** How a group is changed: by what differs, or whole. */
  groupUpdate: 'patch' | 'put'
  /** How a group's members are taken out: a path a member (RFC 7644 §3.5.2.2), or a list of values (Entra's). */
  memberRemoval: 'path' | 'values'
  /** How many members one request may add and remove. */
  membersPerRequest: number
  /** Whether `POST /Groups` takes members. */
  createsWithMembers: boolean
  /** Whether what is there can be listed, or has to be looked up one by one. */
  listing: 'pages' | 'cursor' | 'each'
  pageSize: number
  /** AWS shows nobody's members: what is in a group there is known from what was confirmed. */
  membersReadable: boolean
  /** Whether `filter=userName eq "…"` is answered. */
  filters: boolean
}

export const profileNames = ['generic', 'muster', 'okta-strict', 'aws', 'atlassian'] as const
export type ProfileName = (typeof profileNames)[number]

const generic: TargetProfile = {
  name: 'generic',
  groupUpdate: 'patch',
  memberRemoval: 'path',
  membersPerRequest: 1_000,
  createsWithMembers: true,
  listing: 'pages',
  pageSize: 100,
  membersReadable: true,
  filters: true,
}

/** What is known of services without asking them. Sources: clients.md; AWS's and Atlassian's developer documentation. */
export const profiles: Record<ProfileName, TargetProfile> = {
  generic,
  muster: { ...generic, name: 'muster', pageSize: 1_000 },
  // A server that takes what Okta's own connector sends for custom applications, and nothing else: groups whole.
  'okta-strict': { ...generic, name: 'okta-strict', groupUpdate: 'put' },
  // 100 members a request, members cannot be read; lists have no pages that could be read to their end.
  aws: {
    ...generic,
    name: 'aws',
    memberRemoval: 'values',
    membersPerRequest: 100,
    createsWithMembers: false,
    listing: 'each',
    membersReadable: false,
  },
  atlassian: { ...generic, name: 'atlassian', membersPerRequest: 500 },
}

/** Which profile an address stands for, where it is one that everybody knows. */
export function knownProfile(url: string): ProfileName | undefined {
  const { hostname } = new URL(url)
  if (/(^|\.)amazonaws\.com$/.test(hostname)) return 'aws'
  if (/(^|\.)atlassian\.com$/.test(hostname)) return 'atlassian'
  return undefined
}

/** What a service says of itself (RFC 7643 §5, RFC 9865 §3), on top of a profile. Whatever it does not say stays. */
export function learntProfile(from: TargetProfile, config: Record<string, unknown>): TargetProfile {
  const part = (name: string) => (typeof config[name] === 'object' && config[name] !== null ? config[name] : {}) as Said
  const { patch, filter, pagination } = { patch: part('patch'), filter: part('filter'), pagination: part('pagination') }
  const most = Number(pagination.maxPageSize ?? filter.maxResults)
  return {
    ...from,
    groupUpdate: patch.supported === false ? 'put' : from.groupUpdate,
    filters: filter.supported === false ? false : from.filters,
    listing: pagination.cursor === true && pagination.index === false ? 'cursor' : from.listing,
    pageSize: most > 0 ? Math.min(Math.max(most, 1), 1_000, Math.max(from.pageSize, 500)) : from.pageSize,
  }
}

interface Said {
  supported?: unknown
  maxResults?: unknown
  cursor?: unknown
  index?: unknown
  maxPageSize?: unknown
}
