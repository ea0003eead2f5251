import { v7 } from 'uuid'

/** A UUIDv7 of one kind: a group's id cannot stand for an account's. */
type Id<Kind extends string> = string & { readonly __kind: Kind }

export type OrgId = Id<'organization'>
export type AccountId = Id<'account'>
export type GroupId = Id<'group'>
export type SiteId = Id<'site'>
export type ProductId = Id<'product'>
export type RoleId = Id<'role'>
export type DirectoryId = Id<'directory'>
export type SignInProviderId = Id<'sign-in provider'>
export type TokenId = Id<'token'>
export type ProvisionedUserId = Id<'provisioned user'>
export type ProvisionedGroupId = Id<'provisioned group'>
export type RunId = Id<'run'>
export type PushSourceId = Id<'push source'>
export type PushTargetId = Id<'push target'>
export type PushRuleId = Id<'push rule'>
export type PushMappingId = Id<'push mapping'>
export type PushPlanId = Id<'push plan'>
export type ReconciliationId = Id<'reconciliation'>
export type WebhookId = Id<'webhook'>
export type NoticeId = Id<'notice'>
export type DeliveryId = Id<'delivery'>

/** A new id, in order of time (RFC 9562 §5.7). Never a secret. */
export const newId = <T extends Id<string>>(): T => v7() as T

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether a string from outside can be an id at all: PostgreSQL refuses what is not a UUID. */
export const isId = (value: string): boolean => uuid.test(value)
