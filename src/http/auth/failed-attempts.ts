import { Failure } from '../failure.ts'

const perMinute = 20
const minuteMs = 60_000
const addressCount = 10_000

/** Counts failed authentications of an address: 20 a minute, then it is not asked any more until the minute is over (rule 23). */
export interface FailedAttempts {
  /** @throws Failure 429 with the seconds to wait */
  refuseGuessing(address: string): void
  note(address: string): void
}

export function failedAttempts(clock: () => number): FailedAttempts {
  const windows = new Map<string, { began: number; count: number }>()
  return {
    refuseGuessing(address) {
      const window = windows.get(networkOf(address))
      const leftMs = window ? window.began + minuteMs - clock() : 0
      if (!window || window.count < perMinute || leftMs <= 0) return
      throw new Failure(
        429,
        'too_many_requests',
        'Too many requests with a wrong token came from this address. Wait, then send the right one.',
        {
          headers: { 'retry-after': String(Math.ceil(leftMs / 1_000)) },
        },
      )
    },
    note(address) {
      const key = networkOf(address)
      const window = windows.get(key)
      if (window && clock() - window.began < minuteMs) {
        window.count++
        return
      }
      windows.delete(key)
      if (windows.size >= addressCount) windows.delete(windows.keys().next().value as string)
      windows.set(key, { began: clock(), count: 1 })
    },
  }
}

// Who has one IPv6 address has a whole /64 of them.
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address
  const [head = '', tail = ''] = address.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}
