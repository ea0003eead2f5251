import { type CsvValue, writeCsv } from '../organization/csv.ts'
import type { ReviewedMember } from './differences.ts'
import type { PersonEffect } from './people.ts'
import type { Review } from './review.ts'

type Columns<Row> = Record<string, (row: Row) => CsvValue>

const reviewColumns: Columns<Review> = {
  group: ({ group }) => group.name,
  id: ({ group }) => group.id,
  state: ({ state }) => state,
  reasons: ({ reasons }) => reasons.join(' '),
  product_access: ({ productAccess }) => productAccess.map(({ site, product, role }) => `${site}/${product}/${role}`).join(' '),
  members_added: ({ members }) => members.added,
  members_removed: ({ members }) => members.removed,
  members_unchanged: ({ members }) => members.unchanged,
  access_lost: ({ access }) => access.lost,
  access_gained: ({ access }) => access.gained,
  people_losing: ({ access }) => access.peopleLosing,
  people_gaining: ({ access }) => access.peopleGaining,
  left_with_none: ({ access }) => access.leftWithNone,
  warnings: ({ warnings }) => warnings.map(({ code, count }) => `${code}:${count}`).join(' '),
  viewed: ({ viewed }) => viewed,
  pushed_at: ({ pushedAt }) => pushedAt,
  fingerprint: ({ fingerprint }) => fingerprint,
}

const memberColumns: Columns<ReviewedMember> = {
  user_name: ({ userName }) => userName,
  email: ({ email }) => email,
  display_name: ({ displayName }) => displayName,
  active: ({ active }) => active,
  change: ({ change }) => change,
}

type AccessChange = PersonEffect['person'] & {
  change: string
  site: string
  product: string
  role: string
  through: string
  stillHas: string
}

const accessColumns: Columns<AccessChange> = {
  user_name: ({ userName }) => userName,
  email: ({ email }) => email,
  change: ({ change }) => change,
  site: ({ site }) => site,
  product: ({ product }) => product,
  role: ({ role }) => role,
  through: ({ through }) => through,
  still_has: ({ stillHas }) => stillHas,
}

/** Reviews as CSV, a line a group. */
export const reviewsCsv = (reviews: readonly Review[]): string => writeCsv(reviewColumns, reviews)

/** Members of a review as CSV, a line a person. */
export const membersCsv = (members: readonly ReviewedMember[]): string => writeCsv(memberColumns, members)

/** What happens to people as CSV, a line an access: lost, gained or kept, and through which groups. */
export const peopleCsv = (people: readonly PersonEffect[]): string => writeCsv(accessColumns, people.flatMap(accessChanges))

function accessChanges({ person, lost, gained, kept }: PersonEffect): AccessChange[] {
  const names = (through: readonly { name: string }[]) => through.map(({ name }) => name).join(', ')
  return [
    ...lost.map(({ through, stillHas, ...access }) => ({
      ...person,
      ...access,
      change: 'lost',
      through: names(through),
      stillHas: stillHas.join(' '),
    })),
    ...gained.map(({ through, ...access }) => ({
      ...person,
      ...access,
      change: 'gained',
      through: names(through),
      stillHas: '',
    })),
    ...kept.map(({ through, ...access }) => ({ ...person, ...access, change: 'kept', through: names(through), stillHas: '' })),
  ]
}
