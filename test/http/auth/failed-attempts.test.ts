import { expect, test } from 'vitest'
import { failedAttempts } from '../../../src/http/auth/failed-attempts.ts'

function world() {
  const clock = { now: 0 }
  const attempts = failedAttempts(() => clock.now)
  const fails = (address: string, times: number) => {
    for (let count = 0; count < times; count++) attempts.note(address)
  }
  const isRefused = (address: string) => {
    try {
      attempts.refuseGuessing(address)
      return false
    } catch {
      return true
    }
  }
  return { clock, attempts, fails, isRefused }
}

test('20 failures in a minute are let through, and then none until the minute is over', () => {
  const { clock, attempts, fails, isRefused } = world()
  fails('192.0.2.1', 19)
  expect(isRefused('192.0.2.1')).toBe(false)
  fails('192.0.2.1', 1)
  clock.now = 45_500
  expect(() => attempts.refuseGuessing('192.0.2.1')).toThrow(
    expect.objectContaining({ status: 429, headers: { 'retry-after': '15' } }),
  )
  clock.now = 60_000
  expect(isRefused('192.0.2.1')).toBe(false)
})

test('an IPv6 address is counted with its /64, an IPv4 address alone', () => {
  const { fails, isRefused } = world()
  fails('2001:db8:0:1::1', 10)
  fails('2001:db8:0:1:ffff:ffff:ffff:ffff', 10)
  expect(isRefused('2001:db8::1:2:3:4:5')).toBe(true)
  expect(isRefused('2001:db8:0:2::1')).toBe(false)
  fails('::ffff:192.0.2.1', 20)
  expect(isRefused('::ffff:192.0.2.2')).toBe(false)
})
