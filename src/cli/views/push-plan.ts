import type { GroupStep, PushPlan } from '../../push/plan.ts'
import { count, counted } from './numbers.ts'
import type { Output } from './output.ts'

const mostNamed = 5
const mostGroups = 50

/** A plan for people: what is created, changed and deleted, group by group, with the sums last. */
export function planView(plan: PushPlan, out: Output): string {
  const { colors } = out
  const sign = { create: colors.green('+'), update: colors.yellow('~'), delete: colors.red('-') }
  const most = out.forPeople ? mostGroups : Number.POSITIVE_INFINITY
  const lines = plan.groups.slice(0, most).map((step) => `${sign[step.do]} ${words(step, out.forPeople ? mostNamed : undefined)}`)
  if (plan.groups.length > most) lines.push(`  and ${count(plan.groups.length - most)} more groups: --format json has them all`)
  for (const { name, why } of plan.notPushed) lines.push(colors.red(`! ${name}: ${why}`))
  return [
    ...(lines.length > 0 ? [...lines, ''] : []),
    ...sums(plan),
    ...plan.warnings,
    ...plan.stops.map((stop) => colors.red(`Stopped: ${stop}`)),
  ].join('\n')
}

/** A plan as Markdown: for a job's summary, or a comment on a pull request. */
export function markdownPlan(plan: PushPlan): string {
  const sign = { create: '+', update: '!', delete: '-' }
  // GitHub takes comments of 65,536 characters.
  const lines = plan.groups.slice(0, 200).map((step) => `${sign[step.do]} ${words(step, mostNamed)}`)
  if (plan.groups.length > lines.length) lines.push(`  and ${count(plan.groups.length - lines.length)} more groups`)
  const [first = '', ...rest] = sums(plan)
  return [
    `### Push of ${code(plan.source.place)} to ${code(plan.target.url)}`,
    '',
    ...plan.stops.map((stop) => `> **Stopped by the push guard.** ${plain(stop)}\n`),
    `**${first}**`,
    '',
    ...rest.map(plain),
    ...plan.notPushed.map(({ name, why }) => `- ${code(name)} is not pushed: ${plain(why)}`),
    ...plan.warnings.map((warning) => `- ${plain(warning)}`),
    ...(lines.length > 0
      ? ['', '<details><summary>Group by group</summary>', '', `${fence(lines)}diff`, ...lines, fence(lines), '', '</details>']
      : []),
    '',
    `Fingerprint ${code(plan.fingerprint.slice(0, 16))} · ${plan.madeAt}`,
  ].join('\n')
}

function sums({ totals, source, target, estimatedRequests, beside }: PushPlan): string[] {
  const { people, groups, members } = totals
  const first =
    groups.create + groups.update + groups.delete + people.create + people.update + people.deactivate === 0
      ? 'Nothing to push: both sides are equal.'
      : `Groups: ${count(groups.create)} to create, ${count(groups.update)} to change, ${count(groups.delete)} to delete, ${count(groups.unchanged)} unchanged. ` +
        `People: ${count(people.create)} to create, ${count(people.update)} to change, ${count(people.deactivate)} to switch off, ${count(people.unchanged)} unchanged.`
  return [
    first,
    `Members: ${count(members.added)} added, ${count(members.removed)} taken out. About ${counted(estimatedRequests, 'request')}.`,
    `The source has ${counted(source.groups, 'group')} and ${count(source.people)} people, the target ${count(target.groups)} and ${count(target.people)}.`,
    ...(beside.groups + beside.people > 0
      ? [
          `${counted(beside.groups, 'group')} and ${count(beside.people)} people of the target are not in the source and are left alone.`,
        ]
      : []),
  ]
}

function words(step: GroupStep, most: number | undefined): string {
  const named = (sign: string, names: string[]) =>
    names.length === 0
      ? []
      : most !== undefined && names.length > most
        ? [`${sign}${count(names.length)}: ${names.slice(0, most).map(oneLine).join(', ')} …`]
        : [`${sign}${count(names.length)}: ${names.map(oneLine).join(', ')}`]
  const renamed = step.formerly === null ? '' : ` (now ${oneLine(step.formerly)})`
  const parts = [...named('+', step.added), ...named('−', step.removed)]
  return `${oneLine(step.name)}${renamed}${parts.length > 0 ? `  ${parts.join('  ')}` : ''}`
}

// A name must not end the line, the fence or the table that it stands in.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
const oneLine = (text: string) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ')
const plain = (text: string) => oneLine(text).replace(/[\\`*_{}[\]<>()#+!|@~]/g, '\\$&')
const code = (text: string) => {
  const ticks = '`'.repeat(1 + Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length)))
  return `${ticks} ${oneLine(text)} ${ticks}`
}
const fence = (lines: string[]) =>
  '`'.repeat(Math.max(3, 1 + Math.max(0, ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)))))
