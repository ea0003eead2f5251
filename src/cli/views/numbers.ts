/** A whole number for reading: 1,395. */
export const count = (n: number): string => n.toLocaleString('en-US')

/** `1 group`, `2 groups`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** `+44`, or a dot where there is none. */
export const plus = (n: number): string => (n === 0 ? '·' : `+${count(n)}`)

/** `−33` with a minus sign (U+2212), or a dot where there is none. */
export const minus = (n: number): string => (n === 0 ? '·' : `−${count(n)}`)

/** `−104 +91`, what is lost before what is gained; a dot where there is neither. */
export const lostAndGained = (lost: number, gained: number): string =>
  [lost > 0 ? minus(lost) : '', gained > 0 ? plus(gained) : ''].filter((part) => part !== '').join(' ') || '·'

const steps: [seconds: number, word: string][] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]

/** `3 minutes ago`; a date alone where it is more than 60 days away. Empty for null. */
export function ago(time: string | null | undefined, now: Date): string {
  if (!time) return ''
  const seconds = Math.round((now.getTime() - Date.parse(time)) / 1_000)
  if (Math.abs(seconds) > 60 * 86_400) return time.slice(0, 10)
  const [size, word] = steps.find(([step]) => Math.abs(seconds) >= step) ?? [1, 'second']
  if (Math.abs(seconds) < 1) return 'now'
  const amount = counted(Math.floor(Math.abs(seconds) / size), word)
  return seconds > 0 ? `${amount} ago` : `in ${amount}`
}

/** The beginning and the end of a fingerprint or an id: `7f3a…c91e`. */
export const short = (id: string): string => (id.length > 12 ? `${id.slice(0, 4)}…${id.slice(-4)}` : id)
