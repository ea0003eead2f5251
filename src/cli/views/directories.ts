import type { Directory, DirectoryDetail, DisconnectedDirectory, Disconnection, NewDirectory, Token } from '../shapes.ts'
import { ago, count, counted } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, facts, table } from './table.ts'

const columns: Column<Directory>[] = [
  { title: 'DIRECTORY', value: (one) => one.name, mayShrink: true },
  { title: 'PROVIDER', value: (one) => one.provider },
  { title: 'ON CONFLICT', value: (one) => one.conflictPolicy },
  { title: 'SCIM URL', value: (one) => one.scimUrl },
  { title: 'CREATED', value: (one) => one.createdAt, shown: (one, out) => ago(one.createdAt, out.now) },
]

export const directoryList = (directories: Directory[], out: Output): string => table(directories, columns, out)

/** A directory's settings, what it received and whether that is complete. */
export function directoryView(directory: DirectoryDetail, out: Output): string {
  const { groups } = directory
  return facts(
    [
      ...settings(directory),
      ['Users', `${count(directory.users.received)} received`],
      [
        'Groups',
        `${count(groups.received)} received: ${count(groups.synced)} synced, ${count(groups.needsReview)} need review, ${count(groups.blocked)} blocked, ${count(groups.held)} held, ${count(groups.ignored)} ignored`,
      ],
      ...(directory.waitingNamesCount > 0
        ? [
            [
              'Names',
              `${counted(directory.waitingNamesCount, 'new name')} taken by another group (muster reviews names)`,
            ] as const,
          ]
        : []),
      [
        'Complete',
        directory.complete ? `yes: ${count(groups.synced)} = ${count(groups.received)}` : `no: ${directory.incomplete.join(' ')}`,
      ],
      [
        'Provider’s list',
        directory.compared === null
          ? `not compared yet (muster reconcile ${directory.name} --file groups.csv)`
          : `${directory.compared.isEqual ? 'nothing differs' : 'differs'}, ${time(directory.compared.comparedAt, out)}`,
      ],
      ['Last push', time(directory.lastPush, out) || 'none yet'],
      ...(directory.lastError
        ? [['Last error', `${time(directory.lastError.at, out)}: ${directory.lastError.detail}`] as const]
        : []),
    ],
    out,
  )
}

export const settingsView = (directory: Directory, out: Output): string => facts(settings(directory), out)

// Okta's and Entra's own words for the two fields that the provider asks for.
const fieldNames: Record<string, [url: string, token: string]> = {
  okta: ['Base URL', 'API Token'],
  entra: ['Tenant URL', 'Secret Token'],
}

/** A directory just made, with the first token: it is shown this once. */
export function newDirectoryView(directory: NewDirectory, out: Output): string {
  const [urlField, tokenField] = fieldNames[directory.provider] ?? ['SCIM base URL', 'Bearer token']
  return facts(
    [
      ['Directory', directory.name],
      [urlField, directory.scimUrl],
      [tokenField, directory.token],
      ['Valid until', out.forPeople ? directory.tokenExpiresAt.slice(0, 10) : directory.tokenExpiresAt],
    ],
    out,
  )
}

const settings = (one: Directory) =>
  [
    ['Directory', one.name],
    ['Provider', one.provider],
    [
      'State',
      one.pausedAt === null ? (one.observing ? 'observing: nothing is effective' : 'live') : 'paused: its writes are refused',
    ],
    ['SCIM URL', one.scimUrl],
    ['On conflict', one.conflictPolicy],
    ['Unknown members', one.unknownMembers],
    ['Nested groups', one.nestedGroups],
    ['Deleted groups', one.deletedGroups],
    ['Strict', one.strict ? 'yes' : 'no'],
    ['Offers existing groups', one.offerExistingGroups],
    ['Quiet time', `${count(one.quietSeconds)} s`],
    ['E-mail domains', one.emailDomains.join(', ') || 'all'],
    [
      'Guard, within an hour',
      [
        `${one.guardMembersPercent} % of a group of more than ${count(one.guardMembersOver)}`,
        `${counted(one.guardPeople, 'person', 'people')} or ${one.guardPeoplePercent} %`,
        `${counted(one.guardGroups, 'deleted group')} or ${one.guardGroupsPercent} %`,
      ].join('; '),
    ],
  ] as const

const tokenColumns: Column<Token>[] = [
  { title: 'TOKEN', value: (token) => token.id },
  { title: 'ENDS IN', value: (token) => token.hint },
  { title: 'CREATED', value: (token) => token.createdAt, shown: (token, out) => ago(token.createdAt, out.now) },
  { title: 'LAST USED', value: (token) => token.lastUsedAt, shown: (token, out) => ago(token.lastUsedAt, out.now) || 'never' },
  { title: 'EXPIRES', value: (token) => token.expiresAt, shown: (token) => token.expiresAt.slice(0, 10) },
  { title: 'REVOKED', value: (token) => token.revokedAt, shown: (token, out) => ago(token.revokedAt, out.now) },
]

export const tokenList = (tokens: Token[], out: Output): string => table(tokens, tokenColumns, out)

const time = (at: string | null, out: Output) => (out.forPeople ? ago(at, out.now) : (at ?? ''))

/** What disconnecting a directory comes to, in sentences: what stays before what goes. */
export function disconnectionView({ name, groups, members, people, reviewable, tokens }: Disconnection): string {
  const dropped = [
    groups.dropped > 0 ? `${counted(groups.dropped, 'pushed group')} not synced` : '',
    members.additions > 0 ? `${counted(members.additions, 'member')} pushed and not in force` : '',
    members.unknown > 0 ? counted(members.unknown, 'unknown member') : '',
  ].filter((part) => part !== '')
  return [
    `Disconnecting ${name} changes nobody's access.`,
    `  ${counted(groups.unmanaged, 'group')} with ${counted(members.staying, 'membership')} ${staying(groups.unmanaged)}, managed by nobody.`,
    `  ${counted(people.released, 'account')} ${staying(people.released)}, and ${name} owns ${people.released === 1 ? 'it' : 'them'} no more.`,
    ...(dropped.length > 0 ? [`  Forgotten: ${dropped.join(', ')}.`] : []),
    ...(members.removals > 0
      ? [
          `  ${counted(members.removals, 'member')} whom ${name} has not pushed stay for good: remove them here, if that is meant.`,
        ]
      : []),
    ...(reviewable > 0
      ? [`  ${counted(reviewable, 'group')} of other directories that waited behind it can be reviewed then.`]
      : []),
    `  ${counted(tokens, 'token')} ${tokens === 1 ? 'opens' : 'open'} nothing from then on. It cannot be undone.`,
  ].join('\n')
}

const staying = (n: number): string => (n === 1 ? 'stays as it is' : 'stay as they are')

const disconnectedColumns: Column<DisconnectedDirectory>[] = [
  { title: 'DIRECTORY', value: (one) => one.name },
  { title: 'PROVIDER', value: (one) => one.provider },
  { title: 'DISCONNECTED', value: (one) => one.disconnectedAt, shown: (one, out) => ago(one.disconnectedAt, out.now) },
  { title: 'GROUPS LEFT', align: 'right', value: (one) => one.left.groups, shown: (one) => count(one.left.groups) },
  { title: 'PEOPLE LEFT', align: 'right', value: (one) => one.left.people, shown: (one) => count(one.left.people) },
]

export const disconnectedList = (directories: DisconnectedDirectory[], out: Output): string =>
  table(directories, disconnectedColumns, out)
