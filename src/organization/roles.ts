import type { AccountId, ProductId } from '../database/ids.ts'
import { type ApiRole, apiRoles } from '../database/tables.ts'

/** Who asks, and what they may do. */
export interface Asking {
  role: ApiRole
  /** The person who is signed in, or whose token it is; null: a program. */
  accountId: AccountId | null
  /** What a reviewer may decide about: groups that give access to nothing else. */
  products: readonly ProductId[]
}

/** Whether a role may all that another may. */
export const isAtLeast = (role: ApiRole, other: ApiRole): boolean => apiRoles.indexOf(role) >= apiRoles.indexOf(other)

/** The role that may less. */
export const lowerOf = (one: ApiRole, other: ApiRole): ApiRole => (isAtLeast(one, other) ? other : one)

/** What a role may do, in the words of the API's `can`. */
export const deeds = ['review', 'change', 'own'] as const
export type Deed = (typeof deeds)[number]

const needed: Record<Deed, ApiRole> = { review: 'reviewer', change: 'admin', own: 'owner' }

export const deedsOf = (role: ApiRole): Deed[] => deeds.filter((deed) => isAtLeast(role, needed[deed]))
