import { Refusal } from '../organization/refusal.ts'

/** How much a directory's pushes may take within an hour (behaviour.md, «The guard»): each limit, what it is at first, and what it may be. */
export const guardLimits = {
  guardMembersPercent: {
    usual: 25,
    least: 0,
    most: 100,
    means: 'So many of a hundred members of a group may go; 100 is all, and no limit',
  },
  guardMembersOver: {
    usual: 10,
    least: 0,
    most: 1_000_000,
    means: 'In groups of more members than this; smaller ones are not limited',
  },
  guardPeople: {
    usual: 10,
    least: 1,
    most: 1_000_000,
    means: 'So many people may be switched off or deleted, or as many as the percentage says, where those are more',
  },
  guardPeoplePercent: { usual: 5, least: 0, most: 100, means: "Of a hundred of the directory's people" },
  guardGroups: {
    usual: 3,
    least: 0,
    most: 1_000_000,
    means:
      'So many groups may be deleted, where synced ones are deleted with what is pushed, or as many as the percentage says, where those are more',
  },
  guardGroupsPercent: { usual: 5, least: 0, most: 100, means: "Of a hundred of the directory's groups" },
} as const

type Limit = keyof typeof guardLimits

export type GuardLimits = Record<Limit, number>

const named = <T>(of: (limit: Limit) => T) =>
  Object.fromEntries(Object.keys(guardLimits).map((limit) => [limit, of(limit as Limit)])) as Record<Limit, T>

export const usualGuard: GuardLimits = named((limit) => guardLimits[limit].usual)

export type GuardRow = Record<ColumnOf<Limit>, number>

/** The column of each limit: `guard_members_percent`. */
export const guardColumns = named((limit) => limit.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) as ColumnOf<Limit>)

type ColumnOf<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${ColumnOf<Tail>}`
  : ''

/** @throws Refusal `invalid_value` naming the limit and its range */
export function checkLimits(given: GuardLimits): void {
  for (const [limit, { least, most }] of Object.entries(guardLimits)) {
    const value = given[limit as Limit]
    if (Number.isInteger(value) && value >= least && value <= most) continue
    throw new Refusal('invalid_value', `${limit} is a whole number from ${least} to ${most}.`)
  }
}

/** The limits of a row of directories. */
export const limitsOf = (row: GuardRow): GuardLimits => named((limit) => row[guardColumns[limit]])

/** The limits as columns of a row. */
export const limitColumns = (given: GuardLimits): GuardRow =>
  Object.fromEntries(Object.entries(guardColumns).map(([limit, column]) => [column, given[limit as Limit]])) as GuardRow
