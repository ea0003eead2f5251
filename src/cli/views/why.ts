import type { Why, WhyGroup } from '../shapes.ts'
import { ago } from './numbers.ts'
import type { Output } from './output.ts'
import { grantName } from './reviews.ts'

/** Whether a person has an access and through what; then the chain that gives it, with the first broken link. */
export function whyView(why: Why, out: Output): string {
  const { person, access, through, broken, steps } = why
  const headline = access
    ? `${person.userName} has ${grantName(why)} through ${through.join(', ')}.`
    : `${person.userName} does not have ${grantName(why)}${broken ? `: ${broken}` : ''}`
  return [out.colors.bold(headline), ...steps.map((step) => stepLine(step, out)), ...ifSynced(why)].join('\n')
}

// Only where it would be another answer.
function ifSynced({ access, ifSynced: after }: Why): string[] {
  if (access === after.access) return []
  return [after.access ? `If synced: has it through ${after.through.join(', ')}.` : 'If synced: does not have it any more.']
}

/** Why a group is as it is, or why a person is in it or not. */
export function whyGroupView({ group, person, holds, ifSynced, broken, steps }: WhyGroup, out: Output): string {
  const headline =
    person === null
      ? `${group.name} is ${holds ? 'as it should be' : `not as it is pushed: ${broken}`}`
      : `${person.userName} is ${holds ? '' : 'not '}in ${group.name}${broken ? `: ${broken}` : '.'}`
  const after = person !== null && ifSynced !== holds ? [`If synced: ${person.userName} is ${ifSynced ? '' : 'not '}in it.`] : []
  return [out.colors.bold(headline), ...steps.map((step) => stepLine(step, out)), ...after].join('\n')
}

function stepLine({ holds, text, at }: Why['steps'][number], out: Output): string {
  const mark = holds === null ? '·' : holds ? out.colors.green('✓') : out.colors.red('✕')
  const time = at === undefined ? '' : out.colors.dim(`  ${out.forPeople ? ago(at, out.now) : at}`)
  return `  ${mark} ${text}${time}`
}
