import type { ListedRequest, RequestDetail } from '../shapes.ts'
import { ago, count } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, facts, table } from './table.ts'

const columns: Column<ListedRequest>[] = [
  { title: 'AT', value: (one) => one.at, shown: (one, out) => ago(one.at, out.now) },
  { title: 'STATUS', value: (one) => one.status, shown: (one, out) => statusWord(one, out) },
  { title: 'METHOD', value: (one) => one.method },
  {
    title: 'ABOUT',
    value: (one) => one.path,
    shown: (one) => one.resource?.name ?? one.path.replace('/scim/v2', ''),
    mayShrink: true,
  },
  { title: 'OUTCOME', value: (one) => one.outcome, mayShrink: true },
  { title: 'REQUEST', value: (one) => one.id },
]

/** Requests, a line each: what was asked about what, and what became of it. */
export const requestList = (requests: ListedRequest[], out: Output): string => table(requests, columns, out)

/** One request, and its five steps with the one it failed at. */
export function requestView(request: RequestDetail, out: Output): string {
  const { id, at, method, path, times, durationMs, userAgent, resource, steps } = request
  const told = facts(
    [
      ['Request', id],
      ['At', out.forPeople ? `${at} (${ago(at, out.now)})` : at],
      ['Sent', `${method} ${path}`],
      ...(resource?.name ? [['About', `the ${resource.kind} ${resource.name}`] as const] : []),
      ['Client', userAgent ?? 'unnamed'],
      ['Answer', `${statusWord(request, out)} after ${count(durationMs)} ms`],
      ...(times > 1 ? [['Sent alike', `${count(times)} times`] as const] : []),
    ],
    out,
  )
  return [told, ...steps.map((step) => stepLine(step, out))].join('\n')
}

const statusWord = ({ status }: ListedRequest, out: Output): string =>
  out.forPeople ? out.colors[status < 400 ? 'green' : status < 500 ? 'yellow' : 'red'](String(status)) : String(status)

function stepLine({ what, holds, text }: RequestDetail['steps'][number], out: Output): string {
  if (!out.forPeople) return `${what}\t${text}`
  const mark = holds === null ? '·' : holds ? out.colors.green('✓') : out.colors.red('✕')
  return `  ${mark} ${out.colors.dim(what.padEnd(7))}  ${text}`
}
