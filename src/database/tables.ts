import type { ColumnType, Generated, GeneratedAlways } from 'kysely'
import type {
  AccountId,
  DeliveryId,
  DirectoryId,
  GroupId,
  NoticeId,
  OrgId,
  ProductId,
  ProvisionedGroupId,
  ProvisionedUserId,
  PushMappingId,
  PushPlanId,
  PushRuleId,
  PushSourceId,
  PushTargetId,
  ReconciliationId,
  RoleId,
  RunId,
  SignInProviderId,
  SiteId,
  TokenId,
  WebhookId,
} from './ids.ts'

/** Every table's row, as `schema.test.ts` compares it with the database. */
export interface Tables {
  organizations: OrganizationRow
  directories: DirectoryRow
  accounts: AccountRow
  groups: GroupRow
  memberships: MembershipRow
  sites: SiteRow
  products: ProductRow
  product_roles: ProductRoleRow
  grants: GrantRow
  directory_tokens: DirectoryTokenRow
  api_tokens: ApiTokenRow
  admins: AdminRow
  sessions: SessionRow
  links: LinkRow
  sign_in_providers: SignInProviderRow
  identities: IdentityRow
  sign_in_attempts: SignInAttemptRow
  passkeys: PasskeyRow
  device_logins: DeviceLoginRow
  provisioned_users: ProvisionedUserRow
  provisioned_emails: ProvisionedEmailRow
  provisioned_groups: ProvisionedGroupRow
  unknown_members: UnknownMemberRow
  taken_offers: TakenOfferRow
  held_acts: HeldActRow
  not_the_same: NotTheSameRow
  nested_groups: NestedGroupRow
  direct_members: DirectMemberRow
  runs: RunRow
  run_groups: RunGroupRow
  log_entries: LogEntryRow
  log_people: LogPeopleRow
  log_people_read: LogPeopleReadRow
  log_seals: LogSealRow
  idempotency_keys: IdempotencyKeyRow
  scim_requests: ScimRequestRow
  scim_request_subjects: ScimRequestSubjectRow
  reconciliations: ReconciliationRow
  reconciliation_groups: ReconciliationGroupRow
  reconciliation_members: ReconciliationMemberRow
  reconciliation_differences: ReconciliationDifferenceRow
  log_followers: LogFollowerRow
  webhooks: WebhookRow
  notices: NoticeRow
  notice_deliveries: NoticeDeliveryRow
  push_sources: PushSourceRow
  push_targets: PushTargetRow
  push_rules: PushRuleRow
  push_mappings: PushMappingRow
  push_plans: PushPlanRow
  push_steps: PushStepRow
}

type Timestamp = ColumnType<Date, Date | string | undefined, Date | string>
type Json<T> = ColumnType<T, string, string>
type JsonWithDefault<T> = ColumnType<T, string | undefined, string>

// The words of columns, as the database checks them (test/schema.test.ts).
export const conflictPolicies = ['review', 'overwrite', 'refuse'] as const
export const unknownMembersSettings = ['record', 'refuse'] as const
export const nestedGroupsSettings = ['flatten', 'refuse'] as const
export const deletedGroupsSettings = ['unmanage', 'delete'] as const
export const offerSettings = ['names', 'members', 'off'] as const
/** What a token, or a person who signs in, may do: each all that the one before it may. */
export const apiRoles = ['auditor', 'reviewer', 'admin', 'owner'] as const
export const waysToSignIn = ['link', 'provider', 'passkey'] as const
export const matches = ['email', 'user_name', 'created', 'person'] as const
/** States of a provisioned group, exactly one (behaviour.md, «A group is pushed»). */
export const groupStates = ['ready', 'needs_review', 'blocked', 'synced', 'held', 'ignored'] as const
export const userStates = ['ready', 'synced', 'needs_review', 'blocked', 'held', 'ignored'] as const
/** Why a provisioned group is in its state; a blocked one has every reason that holds. */
export const groupReasons = [
  'name_taken',
  'linked',
  'deleted_before',
  'default_access_group',
  'managed_elsewhere',
  'protected',
  'guard_passed',
  'last_admin',
] as const
export const userReasons = ['managed_elsewhere', 'protected', 'guard_passed', 'last_admin'] as const
/** What a push would do, by the guard, and waits: a person is switched off, by `active: false` or by a deletion; a group is deleted. */
export const heldActs = ['switch_off', 'delete_person', 'delete_group'] as const
/** Why the guard has what a push takes wait (behaviour.md, «The guard»). */
export const heldReasons = ['guard_passed', 'last_admin'] as const
/** What can be chosen to become of a pushed group whose name a group of the organization has (behaviour.md, «The sync»). */
export const syncChoices = ['overwrite', 'merge', 'rename_existing', 'ignore', 'drop_kept', 'restore', 'allow', 'reject'] as const
export const deliveryStates = ['waiting', 'delivered', 'given_up'] as const
export type DeliveryState = (typeof deliveryStates)[number]
export const reconciliationStates = ['receiving', 'comparing', 'compared', 'superseded'] as const
export type ReconciliationState = (typeof reconciliationStates)[number]
/** `held`: what waits is allowed or rejected. */
export const runKinds = ['sync', 'drop_kept', 'restore', 'go_live', 'take_over', 'held'] as const
export const runStates = [
  'awaiting_approval',
  'queued',
  'running',
  'finished',
  'stopped',
  'rejected',
  'withdrawn',
  'expired',
] as const
export const runResults = ['synced', 'skipped', 'failed'] as const

export type ConflictPolicy = (typeof conflictPolicies)[number]
export type UnknownMembers = (typeof unknownMembersSettings)[number]
export type NestedGroups = (typeof nestedGroupsSettings)[number]
export type DeletedGroups = (typeof deletedGroupsSettings)[number]
export type OfferExistingGroups = (typeof offerSettings)[number]
export type ApiRole = (typeof apiRoles)[number]
export type SignedInBy = (typeof waysToSignIn)[number]
export type MatchedBy = (typeof matches)[number]
export type GroupState = (typeof groupStates)[number]
export type UserState = (typeof userStates)[number]
export type GroupReason = (typeof groupReasons)[number]
export type HeldAct = (typeof heldActs)[number]
export type HeldReason = (typeof heldReasons)[number]
export type UserReason = (typeof userReasons)[number]
export type SyncChoice = (typeof syncChoices)[number]
export type RunKind = (typeof runKinds)[number]
export type RunState = (typeof runStates)[number]
export type RunResult = (typeof runResults)[number]

export interface OrganizationRow {
  id: OrgId
  slug: string
  name: string
  /** Runs that take access from more people need approval, and none do where it is null. */
  approval_over: number | null
  approval_hours: Generated<number>
  created_at: Timestamp
}

export interface DirectoryRow {
  org_id: OrgId
  id: DirectoryId
  name: string
  name_key: string
  provider: string
  conflict_policy: Generated<ConflictPolicy>
  conflict_policy_since: Timestamp
  unknown_members: Generated<UnknownMembers>
  strict: Generated<boolean>
  offer_existing_groups: Generated<OfferExistingGroups>
  nested_groups: Generated<NestedGroups>
  deleted_groups: Generated<DeletedGroups>
  quiet_seconds: Generated<number>
  email_domains: Generated<string[]>
  guard_members_percent: Generated<number>
  guard_members_over: Generated<number>
  guard_people: Generated<number>
  guard_people_percent: Generated<number>
  guard_groups: Generated<number>
  guard_groups_percent: Generated<number>
  cursor_key: Generated<Buffer>
  observing: Generated<boolean>
  paused_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  disconnected_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  created_at: Timestamp
  updated_at: Timestamp
}

export interface AccountRow {
  org_id: OrgId
  id: AccountId
  user_name: string
  user_name_key: string
  email: string | null
  email_key: string | null
  display_name: string | null
  active: Generated<boolean>
  is_protected: Generated<boolean>
  owned_by: DirectoryId | null
  local_key: GeneratedAlways<string>
  shown_key: GeneratedAlways<string | null>
  observed_by: ColumnType<DirectoryId | null, DirectoryId | null | undefined, DirectoryId | null>
  created_at: Timestamp
  updated_at: Timestamp
}

export interface GroupRow {
  org_id: OrgId
  id: GroupId
  name: string
  name_key: string
  look_key: GeneratedAlways<string>
  alike_key: GeneratedAlways<string>
  description: string | null
  effective: Generated<boolean>
  is_protected: Generated<boolean>
  managed_by: DirectoryId | null
  member_count: Generated<number>
  add_count: Generated<number>
  remove_count: Generated<number>
  /** What came and went in each minute of the last hour, as rows of minute, members before, and taken by pushes (migration 0030). */
  recent: Generated<number[][]>
  deleted_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  created_at: Timestamp
  updated_at: Timestamp
}

export interface MembershipRow {
  org_id: OrgId
  group_id: GroupId
  account_id: AccountId
  pushed: boolean
  effective: boolean
  waiting: 'kept' | 'held' | null
  held_at: Timestamp | null
  since: Timestamp
}

export interface SiteRow {
  org_id: OrgId
  id: SiteId
  name: string
  name_key: string
  created_at: Timestamp
}

export interface ProductRow {
  org_id: OrgId
  id: ProductId
  site_id: SiteId
  name: string
  name_key: string
  seats: number | null
  created_at: Timestamp
}

export interface ProductRoleRow {
  org_id: OrgId
  id: RoleId
  product_id: ProductId
  name: string
  name_key: string
  is_administrative: Generated<boolean>
  created_at: Timestamp
}

export interface GrantRow {
  org_id: OrgId
  group_id: GroupId
  role_id: RoleId
  is_default: Generated<boolean>
  created_at: Timestamp
}

export interface DirectoryTokenRow {
  org_id: OrgId
  id: TokenId
  directory_id: DirectoryId
  token_hash: Buffer
  hint: string
  created_by: string
  created_at: Timestamp
  expires_at: ColumnType<Date, Date | string, Date | string>
  last_used_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  revoked_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
}

export interface ApiTokenRow {
  org_id: OrgId
  id: TokenId
  name: string
  role: ApiRole
  /** The person whose own it is, and a program's where there is none. */
  account_id: AccountId | null
  token_hash: Buffer
  hint: string
  created_by: string
  created_at: Timestamp
  expires_at: ColumnType<Date, Date | string, Date | string>
  last_used_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  revoked_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
}

export interface AdminRow {
  org_id: OrgId
  account_id: AccountId
  role: ApiRole
  /** Of a reviewer. */
  products: Generated<ProductId[]>
  created_by: string
  created_at: Timestamp
}

export interface SessionRow {
  org_id: OrgId
  id: TokenId
  account_id: AccountId
  token_hash: Buffer
  signed_in_by: SignedInBy
  address: string | null
  user_agent: string | null
  created_at: Timestamp
  last_used_at: Timestamp
  expires_at: ColumnType<Date, Date | string, Date | string>
}

export interface SignInProviderRow {
  org_id: OrgId
  id: SignInProviderId
  name: string
  name_key: string
  issuer: string
  client_id: string
  /** Sealed (database/secrets.ts). */
  client_secret: Buffer | null
  enabled: Generated<boolean>
  created_at: Timestamp
  updated_at: Timestamp
}

export interface IdentityRow {
  org_id: OrgId
  issuer: string
  subject: string
  account_id: AccountId
  created_at: Timestamp
}

export interface SignInAttemptRow {
  org_id: OrgId
  id: TokenId
  token_hash: Buffer
  provider_id: SignInProviderId | null
  /** Who connects the provider, signed in. */
  account_id: AccountId | null
  return_to: string
  expires_at: ColumnType<Date, Date | string, Date | string>
}

export interface PasskeyRow {
  org_id: OrgId
  id: TokenId
  account_id: AccountId
  name: string
  credential_id: string
  public_key: Buffer
  counter: string
  transports: Generated<string[]>
  created_at: Timestamp
  last_used_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
}

export interface DeviceLoginRow {
  org_id: OrgId
  id: TokenId
  token_hash: Buffer
  user_code: string
  device: string
  address: string | null
  confirmed_org: OrgId | null
  confirmed_by: AccountId | null
  created_at: Timestamp
  expires_at: ColumnType<Date, Date | string, Date | string>
}

export interface LinkRow {
  org_id: OrgId
  id: TokenId
  /** Whom it signs in. Nobody's makes the organization and its first owner. */
  account_id: AccountId | null
  token_hash: Buffer
  created_by: string
  created_at: Timestamp
  expires_at: ColumnType<Date, Date | string, Date | string>
}

export interface ProvisionedUserRow {
  org_id: OrgId
  id: ProvisionedUserId
  directory_id: DirectoryId
  external_id: string | null
  user_name: string
  user_name_key: string
  email_key: string | null
  active: Generated<boolean>
  attributes: Json<Record<string, unknown>>
  account_id: AccountId
  matched_by: MatchedBy
  state: UserState
  reasons: Generated<UserReason[]>
  version: Generated<number>
  created_at: Timestamp
  updated_at: Timestamp
}

export interface ProvisionedEmailRow {
  org_id: OrgId
  directory_id: DirectoryId
  value: string
  provisioned_user_id: ProvisionedUserId
}

export interface ProvisionedGroupRow {
  org_id: OrgId
  id: ProvisionedGroupId
  directory_id: DirectoryId
  external_id: string | null
  name: string
  name_key: string
  look_key: GeneratedAlways<string>
  alike_key: GeneratedAlways<string>
  group_id: GroupId
  state: GroupState
  reasons: Generated<GroupReason[]>
  is_nested: Generated<boolean>
  is_linked: Generated<boolean>
  keeps_name: Generated<boolean>
  members_written_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  complete_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  viewed_fingerprint: string | null
  version: Generated<number>
  created_at: Timestamp
  updated_at: Timestamp
}

export interface UnknownMemberRow {
  org_id: OrgId
  provisioned_group_id: ProvisionedGroupId
  value: string
  display: string | null
  since: Timestamp
}

export interface TakenOfferRow {
  org_id: OrgId
  directory_id: DirectoryId
  group_id: GroupId
  times: Generated<number>
  declined: Generated<boolean>
}

export interface HeldActRow {
  org_id: OrgId
  id: string
  directory_id: DirectoryId
  act: HeldAct
  account_id: AccountId | null
  group_id: GroupId | null
  name: string
  reason: HeldReason
  /** An admin said no, and so it stays until the provider says otherwise. */
  is_rejected: Generated<boolean>
  since: Timestamp
}

export interface NotTheSameRow {
  org_id: OrgId
  provisioned_group_id: ProvisionedGroupId
  group_id: GroupId
  said_by: string
  said_at: Timestamp
}

export interface NestedGroupRow {
  org_id: OrgId
  parent_id: ProvisionedGroupId
  child_id: ProvisionedGroupId
}

export interface DirectMemberRow {
  org_id: OrgId
  provisioned_group_id: ProvisionedGroupId
  account_id: AccountId
}

export interface RunRow {
  org_id: OrgId
  id: RunId
  kind: RunKind
  undoes: RunId | null
  state: RunState
  directory_id: DirectoryId
  choice: SyncChoice
  accept_incomplete: Generated<boolean>
  accept_empty: Generated<boolean>
  note: string | null
  retry_of: ColumnType<RunId | null, RunId | null | undefined, RunId | null>
  fingerprint: string
  foreseen: Json<unknown>
  /** Of a run that needs approval, or needed it. */
  approval_expires_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  decided_by: string | null
  decided_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  decision_comment: string | null
  group_count: number
  synced_count: Generated<number>
  skipped_count: Generated<number>
  failed_count: Generated<number>
  created_by: string
  created_at: Timestamp
  started_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
  finished_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
}

export interface RunGroupRow {
  org_id: OrgId
  run_id: RunId
  /** What it is about, a pushed group; in a run of kind `restore` a group; in one of kind `held` also a row of `held_acts`. */
  unit_id: ProvisionedGroupId | GroupId | HeldActRow['id']
  position: number
  name: string
  choice: SyncChoice
  /** The group that it is linked to first, where it is. */
  link_to: GroupId | null
  /** What the existing group is called after, where it is renamed and somebody said so. */
  new_name: string | null
  /** The people whom a choice is about, where not all. */
  people: AccountId[] | null
  /** Of a group that is put back, the first entry of the log about it that is undone. */
  cut: string | null
  expected: string
  result: RunResult | null
  reason: string | null
  detail: string | null
  added_count: number | null
  removed_count: number | null
  lost_count: number | null
  gained_count: number | null
  finished_at: ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
}

export interface LogEntryRow {
  org_id: OrgId
  id: GeneratedAlways<string>
  xid: Generated<string>
  at: Timestamp
  actor: string
  directory_id: DirectoryId | null
  request_id: string | null
  run_id: RunId | null
  action: string
  subject: string | null
  facts: JsonWithDefault<Record<string, unknown>>
  added: AccountId[] | null
  removed: AccountId[] | null
  pushed_added: AccountId[] | null
  pushed_removed: AccountId[] | null
}

export interface LogPeopleRow {
  org_id: OrgId
  account_id: AccountId
  last: string
  entries: string[]
}

export interface LogPeopleReadRow {
  org_id: OrgId
  done: Generated<string>
  awaited: Generated<string>
  awaited_xid: Generated<string>
}

export interface LogSealRow {
  org_id: OrgId
  number: string
  first: string
  last: string
  count: number
  total: string
  previous_hash: Buffer
  hash: Buffer
  entry_hashes: Buffer
  sealed_at: ColumnType<Date, Date | string, Date | string>
}

export interface IdempotencyKeyRow {
  org_id: OrgId
  actor: string
  route: string
  key: string
  body_hash: Buffer
  status: number
  answer: Json<object>
  created_at: Timestamp
}

export interface ScimRequestRow {
  org_id: OrgId
  directory_id: DirectoryId
  at: ColumnType<Date, Date | string, Date | string>
  id: string
  token_id: TokenId
  method: string
  path: string
  status: number
  duration_ms: number
  times: number
  user_agent: string | null
  asked: string | null
  found_count: number | null
  error: string | null
  subjects: string[]
}

export interface ScimRequestSubjectRow {
  org_id: OrgId
  directory_id: DirectoryId
  subject: string
  minute: ColumnType<Date, Date | string, Date | string>
}

export interface ReconciliationRow {
  org_id: OrgId
  id: ReconciliationId
  directory_id: DirectoryId
  state: ReconciliationState
  parts: Generated<number[]>
  listed_count: Generated<string>
  compared_place: Generated<number>
  created_by: string
  created_at: Timestamp
  compared_at: Date | null
}

export interface ReconciliationGroupRow {
  org_id: OrgId
  reconciliation_id: ReconciliationId
  place: number
  name: string
  name_key: string
  is_listed: boolean
  provisioned_group_id: ProvisionedGroupId | null
  listed_count: Generated<number>
  pushed_count: Generated<number>
  missing_count: Generated<number>
  extra_count: Generated<number>
}

export interface ReconciliationMemberRow {
  org_id: OrgId
  reconciliation_id: ReconciliationId
  place: number
  account_id: AccountId
}

export interface ReconciliationDifferenceRow {
  org_id: OrgId
  reconciliation_id: ReconciliationId
  place: number
  user_key: string
  user_name: string
  is_missing: boolean
  is_unknown: Generated<boolean>
}

export interface LogFollowerRow {
  org_id: OrgId
  name: string
  position: string
}

export interface WebhookRow {
  org_id: OrgId
  id: WebhookId
  url: string
  kinds: Generated<string[]>
  silent_hours: Generated<number>
  is_enabled: Generated<boolean>
  disabled_because: string | null
  secret: Buffer | null
  old_secret: Buffer | null
  old_secret_until: Date | null
  mailed_at: Date | null
  created_by: string
  created_at: Timestamp
}

export interface NoticeRow {
  org_id: OrgId
  id: NoticeId
  key: string
  kind: string
  at: Date
  data: Json<Record<string, unknown>>
}

export interface NoticeDeliveryRow {
  org_id: OrgId
  id: DeliveryId
  webhook_id: WebhookId
  notice_id: NoticeId
  state: DeliveryState
  attempts: Generated<number>
  due_at: Timestamp
  tried_at: Date | null
  status: number | null
  error: string | null
  answer: string | null
}

export const pushMappingStates = ['active', 'inactive', 'error'] as const
export type PushMappingState = (typeof pushMappingStates)[number]
export const pushPlanStates = ['planned', 'queued', 'running', 'done', 'incomplete', 'failed'] as const
export type PushPlanState = (typeof pushPlanStates)[number]
export const pushStepOutcomes = ['intended', 'done', 'failed'] as const
export type PushStepOutcome = (typeof pushStepOutcomes)[number]

export interface PushSourceRow {
  org_id: OrgId
  id: PushSourceId
  name: string
  name_key: string
  settings: Json<object>
  secret: Buffer | null
  people_count: number | null
  group_count: number | null
  membership_count: number | null
  read_at: Date | null
  error: string | null
  created_at: Timestamp
}

export interface PushTargetRow {
  org_id: OrgId
  id: PushTargetId
  name: string
  name_key: string
  source_id: PushSourceId
  url: string
  profile: string
  ca: string | null
  secret: Buffer | null
  is_paused: Generated<boolean>
  every_minutes: number | null
  applies_by_itself: Generated<boolean>
  next_at: Date | null
  created_at: Timestamp
}

export interface PushRuleRow {
  org_id: OrgId
  id: PushRuleId
  target_id: PushTargetId
  name: string
  name_key: string
  condition: Json<object>
  created_at: Timestamp
}

export interface PushMappingRow {
  org_id: OrgId
  id: PushMappingId
  target_id: PushTargetId
  source_key: string
  source_name: string
  target_name: string | null
  target_group_id: string | null
  rule_id: PushRuleId | null
  state: Generated<PushMappingState>
  error: string | null
  confirmed: string[] | null
  member_count: number | null
  gone_since: Date | null
  unmatched_since: Date | null
  pushed_at: Date | null
  created_at: Timestamp
}

export interface PushPlanRow {
  org_id: OrgId
  id: PushPlanId
  target_id: PushTargetId
  state: Generated<PushPlanState>
  fingerprint: string
  plan: Json<object>
  result: Json<object> | null
  error: string | null
  created_by: string
  created_at: Timestamp
  started_at: Date | null
  finished_at: Date | null
}

export interface PushStepRow {
  org_id: OrgId
  plan_id: PushPlanId
  step: string
  outcome: Generated<PushStepOutcome>
  why: string | null
  at: Timestamp
}
