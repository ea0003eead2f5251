/** What the command line reads of the API's objects: no more than it shows. The API may send more; `--json` prints it all. */
export interface Listed<T> {
  total: number
  items: T[]
}

export interface Named {
  id: string
  name: string
}

export interface Whoami {
  organization: { slug: string; name: string }
  token: { name: string; role: string; expiresAt: string }
}

export interface Admin {
  id: string
  userName: string
  displayName: string | null
  email: string | null
  active: boolean
  role: string
  products: { site: string; product: string }[]
  lastUsedAt: string | null
}

export interface SignInLink {
  url: string
  expiresAt: string
}

export interface SignInProvider {
  id: string
  name: string
  issuer: string
  clientId: string
  enabled: boolean
  redirectUri: string
}

export interface Session {
  id: string
  person: { userName: string }
  signedInBy: string
  address: string | null
  userAgent: string | null
  createdAt: string
  lastUsedAt: string
  expiresAt: string
  isThis: boolean
}

export interface Organization {
  slug: string
  name: string
  approval: { peopleLosing: number | null; expiresHours: number }
}

export interface Directory {
  id: string
  name: string
  provider: string
  scimUrl: string
  conflictPolicy: string
  unknownMembers: string
  nestedGroups: string
  deletedGroups: string
  strict: boolean
  offerExistingGroups: string
  quietSeconds: number
  emailDomains: string[]
  guardMembersPercent: number
  guardMembersOver: number
  guardPeople: number
  guardPeoplePercent: number
  guardGroups: number
  guardGroupsPercent: number
  observing: boolean
  pausedAt: string | null
  createdAt: string
}

export type GroupCounts = Record<'received' | 'ready' | 'synced' | 'needsReview' | 'blocked' | 'held' | 'ignored', number>

export interface DirectoryDetail extends Directory {
  groups: GroupCounts
  users: { received: number }
  waitingNamesCount: number
  complete: boolean
  incomplete: string[]
  compared: Findings | null
  lastPush: string | null
  lastError: { detail: string; at: string } | null
}

/** What comparing a provider's own list came to. */
export interface Findings {
  comparedAt: string
  listed: { groups: number; memberships: number }
  pushed: { groups: number; memberships: number }
  missing: { groups: number; members: number }
  extra: { groups: number; members: number }
  differing: number
  unknownPeople: number
  isEqual: boolean
}

export interface Reconciliation {
  found: Findings | null
  underWay: { id: string; state: string; groups: number; comparedGroups: number } | null
}

export interface ComparedGroup {
  name: string
  finding: string
  state: string | null
  listedMembers: number
  pushedMembers: number
  missing: number
  extra: number
}

export interface ComparedMember {
  group: string
  userName: string
  finding: string
  isKnown: boolean
}

export interface ListedRequest {
  id: string
  at: string
  method: string
  path: string
  status: number
  durationMs: number
  times: number
  userAgent: string | null
  resource: { kind: string; name: string | null } | null
  outcome: string
}

export interface Requests {
  items: ListedRequest[]
  next: string | null
}

export interface RequestDetail extends ListedRequest {
  steps: { what: string; holds: boolean | null; text: string }[]
}

export interface NewDirectory extends Directory {
  token: string
  tokenExpiresAt: string
}

export interface Token {
  id: string
  name?: string
  hint: string
  createdAt: string
  expiresAt: string
  lastUsedAt: string | null
  revokedAt: string | null
}

export interface Access {
  lost: number
  gained: number
  peopleLosing: number
  peopleGaining: number
  leftWithNone: number
}

export interface Grant {
  site: string
  product: string
  role: string
}

export interface ReviewItem {
  group: Named
  existing: { name: string; memberCount: number } | null
  state: string
  reasons: string[]
  filling: boolean
  pushedAt: string
  members: { added: number; removed: number; unchanged: number }
  access: Access
  productAccess: Grant[]
  warnings: { code: string; count: number }[]
  fingerprint: string
}

export interface WaitingName {
  group: Named
  existing: Named & { memberCount: number }
  takenBy: Named & { memberCount: number; managedBy: string | null; freeName: string | null }
  can: string[]
}

export interface SettledName {
  renamed: { before: string; after: string } | null
  review: ReviewItem
}

export interface Suggestion {
  group: Named & { memberCount: number }
  existing: Named & { memberCount: number; grantCount: number }
  names: string | null
  members: { common: number; jaccard: number }
}

export interface LinkPreview {
  group: Named
  to: Named & { memberCount: number }
  members: { added: number; removed: number; unchanged: number }
  cannot: { why: string }[]
}

export interface Effect {
  directory: string
  groups: number
  blocked: number
  members: { added: number; removed: number }
  access: Access & { jointLosses: number }
  matrix: { site: string; role: string; lost: number; gained: number }[]
  warnings: { code: string; groups: number; percent?: number; of?: { site: string; product: string; role?: string }[] }[]
  fingerprint: string
}

interface GroupStanding {
  name: string
  managedBy: string | null
}

export interface Restoration {
  now: GroupStanding
  was: GroupStanding
  changes: number
  effect: Omit<Effect, 'directory' | 'blocked'>
}

export interface PutBack {
  name: string
  added: number
  removed: number
}

export interface Undo {
  groups: number
  changed: { group: Named; entries: number }[]
  effect: Omit<Effect, 'directory' | 'blocked'>
}

export interface KeptMember {
  group: Named
  person: { id: string; userName: string; displayName: string | null; email: string | null; active: boolean }
  since: string
}

/** What waits, or was rejected. */
export interface Held {
  id: string
  kind: string
  name: string
  reasons: string[]
  since: string
  members: { added: number; removed: number }
  access: { lost: number; gained: number }
}

export type Choice = 'overwrite' | 'merge' | 'rename_existing' | 'ignore'

/** What is to become of the groups that are meant, as the API takes it. */
export interface Choices {
  kind?: 'drop_kept'
  people?: string[]
  defaultChoice?: Choice
  choices?: Record<string, Choice>
  newNames?: Record<string, string>
  /** The existing group that a pushed one is linked to first. */
  links?: Record<string, string>
}

export type Selection = { mode: 'ids'; ids: string[] } | { mode: 'filter'; filter: Record<string, unknown>; except?: string[] }

export interface Selected {
  preset: string
  selection: Selection
  groups: number
  dropped: { group: Named; why: string }[]
  effect: Effect
}

export interface Run {
  id: string
  state: string
  choice: string
  retryOf: string | null
  retriedBy: string[]
  createdBy: string
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
  groups: { total: number; synced: number; skipped: number; failed: number }
  members: { added: number; removed: number }
  access: Access
  foreseen: { access: Access }
  approval: {
    expiresAt: string
    decidedBy: string | null
    decidedAt: string | null
    comment: string | null
    isOwn: boolean
  } | null
}

/** What syncing again what a run left out would do. */
export interface Retry extends Effect {
  selection: Selection
}

export interface Preview {
  directory: string
  groups: Run['groups']
  members: { added: number; removed: number }
  access: Effect['access']
  blocked: number
  needsApproval: boolean
  skipped: { group: Named; reason: string; detail: string | null }[]
}

/** What was seen of a group: a refusal then says whether it is this one that changed. */
export interface ReviewedGroup {
  group: string
  fingerprint: string
  name: string
  members: { added: number; removed: number }
  access: { lost: number; gained: number }
}

export interface RunGroup {
  group: Named
  result: string | null
  reason: string | null
  detail: string | null
}

export interface Group {
  id: string
  name: string
  description: string | null
  memberCount: number
  grantCount: number
  isProtected: boolean
  isDefaultAccess: boolean
  managedBy: Named | null
}

/** What people have through one group alone. */
export interface ThroughGroup {
  members: number
  access: { accesses: number; people: number; withNoOther: number }
  roles: { site: string; product: string; role: string; people: number; isLastHolder: boolean }[]
  fingerprint: string
}

export interface GroupDeletion extends Named {
  takes: ThroughGroup
}

export interface DeletedGroup extends Named {
  memberCount: number
  grantCount: number
  deletedAt: string
  deletedBy: string
  restorableUntil: string
  pushedBy: Named | null
}

export interface DeletedGroupDetail extends DeletedGroup {
  restores: ThroughGroup
}

export interface RestoredGroup extends Named {
  memberCount: number
}

/** What a directory comes to before it goes live. */
export interface Observation extends Named {
  observing: boolean
  groups: Record<'pushed' | 'new' | 'conflicting' | 'blocked' | 'ignored' | 'unknownMembers' | 'members', number>
  people: Record<
    | 'pushed'
    | 'new'
    | 'probablySame'
    | 'doubtful'
    | 'notInProvider'
    | 'managedElsewhere'
    | 'protected'
    | 'switchedOff'
    | 'switchedOn',
    number
  > & { matched: Record<'total' | 'byEmail' | 'byUserName' | 'byPerson', number> }
  access: Record<'lost' | 'gained' | 'peopleLosing' | 'peopleGaining' | 'leftWithNone', number>
  conflicts: Observation['access'] & { jointLosses: number }
  fingerprint: string
}

interface PersonInBrief {
  id: string
  userName: string
  email: string | null
  displayName: string | null
}

export interface Match {
  match: 'matched' | 'new' | 'probably_same' | 'doubtful' | 'not_in_provider'
  user: { id: string; userName: string; active: boolean; state: string; reasons: string[]; matchedBy: string } | null
  person: PersonInBrief
  alike: PersonInBrief | null
  switches: 'on' | 'off' | null
}

export interface TakeOver {
  directory: Named
  from: Named & { isDisconnected: boolean }
  groups: Record<'byExternalId' | 'byName' | 'equal' | 'differing' | 'left', number>
  people: { handedOver: number; released: number }
  fingerprint: string
}

export interface Resynced {
  groups: number
  people: number
  changes: { entry: string; action: string; name: string | null }[]
  next: string | null
}

export interface DeletedPerson extends PersonInBrief {
  directory: Named
  deletedAt: string
  restorableUntil: string
}

export interface PersonRestoration extends DeletedPerson {
  groups: (Named & { isManaged: boolean })[]
  gains: number
  fingerprint: string
}

export interface DirectoryLife extends Named {
  observing: boolean
  pausedAt: string | null
}

/** What disconnecting a directory comes to. */
export interface Disconnection extends Named {
  groups: { pushed: number; unmanaged: number; dropped: number }
  members: { staying: number; additions: number; removals: number; unknown: number }
  people: { pushed: number; released: number }
  reviewable: number
  tokens: number
  fingerprint: string
}

export interface DisconnectedDirectory extends Named {
  provider: string
  disconnectedAt: string
  left: { groups: number; people: number }
}

export interface Person {
  id: string
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
}

export interface Happening {
  id: string
  at: string
  actor: string
  text: string
  directory: string | null
  requestId: string | null
  run: { id: string; note: string | null } | null
}

export interface History {
  items: Happening[]
  next: string | null
}

export interface PersonChange extends Person {
  change: Change
}

export interface AccessOfPerson extends Grant {
  through: string[]
}

export type Change = 'gained' | 'lost'

/** With the groups that gave it then, and those that give it now. */
interface Since {
  change: Change
  throughThen: string[]
  throughNow: string[]
}

export type AccessChange = Grant & Since

export interface Holder {
  userName: string
  email: string | null
  displayName: string | null
  through: string[]
}

export type HolderChange = Omit<Holder, 'through'> & Since

export interface PersonEffect {
  person: { userName: string }
  groups: { name: string; change: 'added' | 'removed' }[]
  lost: (Grant & { stillHas: string[] })[]
  gained: Grant[]
}

export interface ReviewMember {
  userName: string
  email: string | null
  change: string
}

type Kept = { created: number; updated: number; unchanged: number }
export interface ImportReport {
  users: Kept
  groups: Kept
  members: { added: number }
  access: { added: number }
  durationMs: number
}

export interface Why {
  access: boolean
  person: { userName: string }
  site: string
  product: string
  role: string
  through: string[]
  ifSynced: { access: boolean; through: string[] }
  broken?: string
  steps: { holds: boolean | null; text: string; at?: string | undefined }[]
}

export interface WhyGroup {
  group: Named
  person: { userName: string } | null
  holds: boolean
  ifSynced: boolean
  broken?: string
  steps: Why['steps']
}

export interface NamedMembers {
  count: number
  names: string[]
}

export interface AuditEntry {
  id: string
  at: string
  actor: string
  action: string
  subject: { id: string; name: string | null } | null
  directory: Named | null
  requestId: string | null
  runId: string | null
  facts: { before?: Record<string, unknown>; after?: Record<string, unknown> }
  role: { site: string; product: string; role: string } | null
  members: { added: NamedMembers; removed: NamedMembers; pushedAdded: NamedMembers; pushedRemoved: NamedMembers }
  block: number | null
}

export interface AuditEntries {
  items: AuditEntry[]
  next: string | null
}

export interface AuditMember {
  id: string
  userName: string
  displayName: string | null
  change: 'added' | 'removed' | 'pushedAdded' | 'pushedRemoved'
}

export interface StoredCheck {
  blocks: number
  entries: number
  unsealed: number
  fault: { block: number; entry: string | null; text: string } | null
  next: number | null
}

export type { ExportCheck, SignedHead } from '../client/log-export.ts'

export interface Webhook {
  id: string
  url: string
  kinds: string[]
  silentHours: number
  isEnabled: boolean
  disabledBecause: string | null
  secret?: string | null
}

export interface Delivery {
  id: string
  kind: string
  at: string
  state: string
  attempts: number
  dueAt: string | null
  status: number | null
  error: string | null
}
