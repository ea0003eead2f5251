import { readdirSync, readFileSync } from 'node:fs'

// Beside other work a rate tells more of the scheduler than of the server: processor time does not. Linux: read from /proc.

/** Processor time until now of some processes, and of all of the database in a folder. */
export function microseconds(pids: readonly (number | undefined)[], folder = ''): number {
  const main = processes().find((id) => textOf(id, 'cmdline').includes(`-D\0${folder}`))
  return [...pids.map(String), ...processes().filter((id) => parentOf(id) === main)].reduce((sum, id) => sum + timeOf(id), 0)
}

const processes = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name))
const parentOf = (id: string): string | undefined => textOf(id, 'stat').split(') ').at(-1)?.split(' ')[1]
const timeOf = (id: string): number => Number(textOf(id, 'schedstat').split(' ')[0] ?? 0) / 1_000

// A process may have ended meanwhile.
function textOf(id: string, file: string): string {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
