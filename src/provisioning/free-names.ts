import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { nameKey } from '../organization/name-key.ts'
import { maxNameLength, whyNotName } from '../organization/name-rules.ts'

/** How far numbers are tried: an organization that has them all is told no name. */
const highest = 100_000

/**
 * A name like each of these that no group has, no deleted one may come back to, and no provider pushed: `Crew (2)`, or the next number that is free. One statement, whatever
 * their number. A name for which there is none is not in the answer.
 */
export async function freeNames(reader: Reader, names: readonly string[]): Promise<Map<string, string>> {
  const bases = names.map(shortened)
  const { rows } = await sql<{ at: number; n: number }>`
    select given.at::integer as at, free.n
    from unnest(${bases.map(nameKey)}::text[]) with ordinality as given(key, at)
    -- One number after the other, each looked up, until one is free.
    cross join lateral (
      select n from (select generate_series(2, ${highest}::integer) as n) as numbers
      where not exists (select from groups where org_id = ${reader.orgId} and name_key = given.key || ' (' || n || ')' and (effective or deleted_at is not null) offset 0)
        and not exists (select from provisioned_groups where org_id = ${reader.orgId} and name_key = given.key || ' (' || n || ')' offset 0)
      limit 1
    ) as free`.execute(reader)
  return new Map(rows.map(({ at, n }) => [names[at - 1] ?? '', `${bases[at - 1]} (${n})`]))
}

/** The same of one name; undefined where there is none. */
export const freeName = async (reader: Reader, name: string): Promise<string | undefined> =>
  (await freeNames(reader, [name])).get(name)

// The number must fit in, in the form that is compared too.
function shortened(name: string): string {
  const characters = [...name.trim()].slice(0, maxNameLength)
  while (whyNotName(`${characters.join('').trim()} (${highest})`) !== undefined && characters.length > 1) characters.pop()
  return characters.join('').trim()
}
