import type { Effect, ReviewItem } from '../shapes.ts'
import { count, counted, lostAndGained, minus, plus, short } from './numbers.ts'
import type { Output } from './output.ts'
import { warningSentence } from './words.ts'

/** `655 to add, 669 to remove. 135 people lose 355 accesses, 179 gain 397. Nobody is left with none.` */
export function effectSentence({ members, access }: Pick<Effect, 'members' | 'access'>): string {
  return `${count(members.added)} to add, ${count(members.removed)} to remove. ${accessSentence(access)}`
}

/** What access comes and goes, and whether somebody is left with none. */
export function accessSentence(access: Effect['access']): string {
  if (access.lost === 0 && access.gained === 0) return 'Nobody loses or gains access.'
  const losing =
    access.lost === 0
      ? 'Nobody loses access'
      : `${people(access.peopleLosing, 'lose')} ${counted(access.lost, 'access', 'accesses')}`
  const gaining =
    access.gained === 0
      ? 'nobody gains any'
      : `${count(access.peopleGaining)} ${access.peopleGaining === 1 ? 'gains' : 'gain'} ${count(access.gained)}`
  const left = access.leftWithNone === 0 ? 'Nobody is left with none.' : `${people(access.leftWithNone, 'are')} left with none.`
  return `${losing}, ${gaining}. ${left}`
}

/** The whole review of a selection, as a person reads it: headline, the groups that take most, matrix, sentence, warnings. */
export function effectView(effect: Effect, out: Output, around: { org?: string; top?: ReviewItem[] } = {}): string {
  const { dim, bold } = out.colors
  const heading = `${bold(around.org ? `${effect.directory} → ${around.org}` : effect.directory)}   ${headline(effect)}`
  const top = (around.top ?? []).map((item) => topLine(item, out, nameWidth(around.top ?? [])))
  const more = effect.groups - top.length
  if (top.length > 0 && more > 0) top.push(dim(`    … ${count(more)} more (muster reviews list)`))
  return [
    heading,
    top.join('\n'),
    matrix(effect, out),
    [
      `Review: ${effectSentence(effect)}`,
      ...(effect.access.jointLosses > 0 ? [jointSentence(effect.access.jointLosses)] : []),
      ...effect.warnings.map((warning) => out.colors.yellow(`! ${warningSentence(warning)}${named(warning.of)}.`)),
      dim(`Fingerprint ${out.forPeople ? short(effect.fingerprint) : effect.fingerprint}, valid until something changes.`),
    ].join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** `: kubernetes · github · admin and 3 more`; nothing where a warning speaks of no role or product. */
function named(of: NonNullable<Effect['warnings'][number]['of']> = []): string {
  if (of.length === 0) return ''
  const more = of.length > namedInWarning ? ` and ${count(of.length - namedInWarning)} more` : ''
  const first = of.slice(0, namedInWarning).map(({ site, product, role }) => [site, product, role].filter(Boolean).join(' · '))
  return `: ${first.join(', ')}${more}`
}

const namedInWarning = 3

/** `667 groups need review, 8 blocked`. */
function headline({ groups, blocked }: Effect): string {
  const needs = groups === 1 ? '1 group needs review' : `${count(groups)} groups need review`
  return blocked > 0 ? `${needs}, ${count(blocked)} blocked` : needs
}

const jointSentence = (joint: number) =>
  `${count(joint)} of these accesses ${joint === 1 ? 'looks' : 'look'} safe group by group and ${joint === 1 ? 'vanishes' : 'vanish'} together (joint losses).`

const people = (n: number, verb: 'lose' | 'are') =>
  `${counted(n, 'person', 'people')} ${n === 1 ? { lose: 'loses', are: 'is' }[verb] : verb}`

function topLine({ group, members, access }: ReviewItem, out: Output, width: number): string {
  const takes =
    access.peopleLosing === 0
      ? 'nobody loses access'
      : `${people(access.peopleLosing, 'lose')} ${counted(access.lost, 'access', 'accesses')}`
  return `  ${out.colors.yellow('~')} ${group.name.padEnd(width)}  ${plus(members.added).padStart(6)} ${minus(members.removed).padStart(6)}    ${takes}`
}

const nameWidth = (items: ReviewItem[]) => Math.max(...items.map((item) => item.group.name.length))

// As the services list them; roles have no order here, and other names follow by the alphabet.
const usualOrder = ['owner', 'admin', 'maintain', 'write', 'triage', 'read', 'user']
const rank = (role: string) => (usualOrder.indexOf(role.toLowerCase()) + usualOrder.length + 1) % (usualOrder.length + 1)

/** Sites down, roles across, lost and gained in each cell; the site that loses most first. */
export function matrix({ matrix: cells }: Pick<Effect, 'matrix'>, out: Pick<Output, 'colors'>): string {
  if (cells.length === 0) return ''
  const roles = [...new Set(cells.map((cell) => cell.role))].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
  const sites = [...Map.groupBy(cells, (cell) => cell.site)]
    .map(([site, own]) => ({ site, own, lost: sum(own, 'lost'), gained: sum(own, 'gained') }))
    .sort((a, b) => b.lost - a.lost || b.gained - a.gained || a.site.localeCompare(b.site))
  const rows = sites.map(({ site, own }) => [site, ...roles.map((role) => cellText(own.filter((cell) => cell.role === role)))])
  const widths = ['lost/gained', ...roles].map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)))
  const line = (row: string[]) =>
    `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   ')}`
  return [out.colors.dim(line(['lost/gained', ...roles])), ...rows.map(line)].join('\n')
}

const cellText = (cells: Effect['matrix']) => lostAndGained(sum(cells, 'lost'), sum(cells, 'gained'))
const sum = (cells: Effect['matrix'], what: 'lost' | 'gained') => cells.reduce((total, cell) => total + cell[what], 0)

/** What is asked before a sync that takes access (console.md §4.2). */
export function consequences(effect: Effect, emptied: string[], out: Pick<Output, 'colors'>): string {
  const { members, access, groups, blocked, matrix: cells } = effect
  const administrative = sum(
    cells.filter((cell) => cell.role.toLowerCase() === 'admin'),
    'lost',
  )
  return [
    out.colors.bold(`Sync ${counted(groups, 'group')} and take access from ${counted(access.peopleLosing, 'person', 'people')}?`),
    [
      `${counted(members.added, 'member is', 'members are')} added, ${count(members.removed)} removed.`,
      `${people(access.peopleLosing, 'lose')} ${counted(access.lost, 'access', 'accesses')}${administrative > 0 ? `, ${count(administrative)} of them admin` : ''}.`,
      access.gained > 0 ? `${counted(access.peopleGaining, 'person gains', 'people gain')} ${count(access.gained)}.` : '',
      access.leftWithNone === 0 ? 'Nobody is left with no access.' : `${people(access.leftWithNone, 'are')} left with no access.`,
      blocked > 0 ? `${counted(blocked, 'blocked group is', 'blocked groups are')} left out.` : '',
    ]
      .filter((sentence) => sentence !== '')
      .join(' '),
    ...emptiedLines(emptied),
  ].join('\n')
}

/** Which groups lose all their members, because the provider has nobody in them: no line where there are none. */
export function emptiedLines(names: string[]): string[] {
  if (names.length === 0) return []
  const more = names.length - namedEmptied
  return [
    `Pushed empty, all members go: ${names.slice(0, namedEmptied).join(', ')}${more > 0 ? ` and ${count(more)} more` : ''}.`,
  ]
}

const namedEmptied = 10
