import { readCsv } from '../organization/csv.ts'
import { nameKey } from '../organization/name-key.ts'
import { whyNotName } from '../organization/name-rules.ts'
import { Refusal } from '../organization/refusal.ts'

/** A piece of a provider's own list, as it is given: CSV with the columns `group,user_name`, or groups with members. */
export interface GivenList {
  csv?: string | undefined
  groups?: { name: string; members: string[] }[] | undefined
}

/** The same, each name once; members refer to both by their place. */
export interface ListedPart {
  groups: { names: string[]; keys: string[] }
  people: { names: string[]; keys: string[] }
  members: { group: number[]; person: number[] }
}

const namedErrors = 20

/**
 * Reads a piece of a list. A line without a user name names a group without members.
 * @throws Refusal `invalid_import` where any of it cannot be read: what is read in part would conclude what is not so
 */
export async function readListedPart({ csv, groups = [] }: GivenList): Promise<ListedPart> {
  const part: ListedPart = {
    groups: { names: [], keys: [] },
    people: { names: [], keys: [] },
    members: { group: [], person: [] },
  }
  const errors: { file: string; line: number; message: string }[] = []
  const [groupAt, personAt] = [places(part.groups), places(part.people)]
  const add = (line: number, group: string, person: string) => {
    const why = whyNotName(group) ?? (person === '' ? undefined : whyNotName(person))
    if (why !== undefined) errors.push({ file: 'groups', line, message: `${whyNotName(group) ? 'group' : 'user_name'} ${why}` })
    else if (person === '') groupAt(group)
    else {
      part.members.group.push(groupAt(group))
      part.members.person.push(personAt(person))
    }
  }
  for (const [index, { name, members }] of groups.entries()) for (const member of ['', ...members]) add(index + 1, name, member)
  if (csv !== undefined) {
    // A file that was cut between two lines is found by its counts alone; one that was cut within a line, by this.
    if (!/[\r\n]$/.test(csv))
      errors.push({
        file: 'groups',
        line: csv.split('\n').length,
        message: 'does not end. Was the file cut? End it with a line break',
      })
    const problems = await readCsv(csv, ['group', 'user_name'], (line, [group = '', person = '']) =>
      add(line, group.trim(), person.trim()),
    )
    errors.push(...problems.map((problem) => ({ file: 'groups', ...problem })))
  }
  if (errors.length > 0) throw refusalOf(errors)
  return part
}

function places({ names, keys }: { names: string[]; keys: string[] }): (name: string) => number {
  const known = new Map<string, number>()
  return (name) => {
    const key = nameKey(name)
    const at = known.get(key) ?? names.length + 1
    if (at > names.length) {
      known.set(key, at)
      names.push(name)
      keys.push(key)
    }
    return at
  }
}

function refusalOf(errors: { file: string; line: number; message: string }[]): Refusal {
  const [first] = errors as [(typeof errors)[number]]
  return new Refusal(
    'invalid_import',
    `Nothing was concluded: ${errors.length === 1 ? 'a line' : `${errors.length} lines`} of the list cannot be read. Line ${first.line} ${first.message}.`,
    { errorCount: errors.length, errors: errors.slice(0, namedErrors) },
  )
}
