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

/** `SITE/PRODUCT/ROLE`; a product's name may hold slashes. @throws Failure usage */
export function accessNamed(given: string): { site: string; product: string; role: string } {
  const first = given.indexOf('/')
  const last = given.lastIndexOf('/')
  if (first < 1 || last <= first + 1 || last === given.length - 1) {
    throw new Failure(
      exit.usage,
      `"${given}" names no access.`,
      'Name it as SITE/PRODUCT/ROLE, for example kubernetes/website/admin',
    )
  }
  return { site: given.slice(0, first), product: given.slice(first + 1, last), role: given.slice(last + 1) }
}
