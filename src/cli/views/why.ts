import type { Why } from '../shapes.ts'
import { ago } from './numbers.ts'
import type { Output } from './output.ts'
import { grantName } from './reviews.ts'

/** Whether a person has an access and through what; then the chain that gives it, with the first broken link. */
export function whyView(why: Why, out: Output): string {
  const { person, access, through, broken, steps } = why
  const headline = access
    ? `${person.userName} has ${grantName(why)} through ${through.join(', ')}.`
    : `${person.userName} does not have ${grantName(why)}${broken ? `: ${broken}` : ''}`
  return [out.colors.bold(headline), ...steps.map((step) => stepLine(step, out))].join('\n')
}

function stepLine({ holds, text, at }: Why['steps'][number], out: Output): string {
  const mark = holds === null ? '·' : holds ? out.colors.green('✓') : out.colors.red('✕')
  const time = at === undefined ? '' : out.colors.dim(`  ${out.forPeople ? ago(at, out.now) : at}`)
  return `  ${mark} ${text}${time}`
}
