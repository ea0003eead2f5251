import { type Command, InvalidArgumentError } from 'commander'
import { exit, Failure } from './failure.ts'
import type { Listed } from './shapes.ts'
import { count } from './views/numbers.ts'
import { type Output, print } from './views/output.ts'

export interface ListOptions {
  limit: number
  offset: number
  search?: string
  sort?: string
}

/** The options of a list: how many, from where, searched, sorted. */
export function addListOptions(command: Command, usualLimit = 30): Command {
  return command
    .option('--limit <n>', 'how many to show; 0 is all', wholeNumber, usualLimit)
    .option('--offset <n>', 'how many to leave out at the beginning', wholeNumber, 0)
    .option('--search <text>', 'only names that contain this')
    .option('--sort <field>', 'sort by a field; with a minus in front, downwards: --sort=-name')
}

/** What a list asks of the API. */
export const listQuery = ({ limit, offset, search, sort }: ListOptions) => ({
  limit,
  offset,
  ...(search === undefined ? {} : { search }),
  ...(sort === undefined ? {} : { sort }),
})

/** Prints a page of a list, and on stderr how much of it that is. */
export function printList<T, L extends Listed<T>>(
  out: Output,
  listed: L,
  view: (items: T[], out: Output) => string,
  nothing = 'There are none.',
): void {
  if (out.json) print(out, listed, () => '')
  else if (listed.items.length > 0) out.data(view(listed.items, out))
  else out.say(nothing)
  if (listed.items.length < listed.total)
    out.say(`${count(listed.items.length)} of ${count(listed.total)}, use --limit 0 for all`)
}

/** Reads a whole number of an option or an argument. */
export function wholeNumber(given: string): number {
  if (!/^\d{1,9}$/.test(given)) throw new InvalidArgumentError('It is a whole number.')
  return Number(given)
}

/** Adds a value to an option that may be given again and again. */
export const again = (value: string, before: string[] = []): string[] => [...before, value]

/** An access by its names. */
export interface NamedAccess {
  site: string
  product: string
  role: string
}

/**
 * What `SITE/PRODUCT/ROLE` can mean, the likeliest first. Names may hold slashes; mostly it is the product's, then the site's.
 * @throws Failure usage
 */
export function accessesNamed(given: string): [NamedAccess, ...NamedAccess[]] {
  const parts = given.split('/')
  const split = (site: number, role: number): NamedAccess => ({
    site: parts.slice(0, site).join('/'),
    product: parts.slice(site, role).join('/'),
    role: parts.slice(role).join('/'),
  })
  const found: NamedAccess[] = []
  for (let role = parts.length - 1; role >= 2; role--) for (let site = 1; site < role; site++) found.push(split(site, role))
  const [first, ...others] = found.filter((access) => Object.values(access).every((name) => name !== '')).slice(0, mostReadings)
  if (first) return [first, ...others]
  throw new Failure(
    exit.usage,
    `"${given}" names no access.`,
    'Name it as SITE/PRODUCT/ROLE, for example kubernetes/website/admin',
  )
}

// Each is a request where the one before it named nothing.
const mostReadings = 20
