import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, answerOf } from '../client/client.ts'
import { type Api, explained } from './api.ts'
import { exit, Failure } from './failure.ts'
import type { Output } from './views/output.ts'

/**
 * Signs in without a token: shows a code, which a person compares and confirms in the browser; then the server gives a token of theirs.
 * @throws Failure signIn, where nobody confirms it in time
 */
export async function tokenByCode(api: Api, out: Output): Promise<string> {
  const asked = await explained(answerOf(api.POST('/api/v1/sign-in/device', { body: { device: hostname().slice(0, 100) } })))
  out.say(`Open this page and confirm the code ${asked.userCode}:\n  ${asked.url}`)
  const until = performance.now() + asked.expiresInSeconds * 1_000
  while (performance.now() < until) {
    await sleep(asked.intervalSeconds * 1_000)
    const token = await tokenIfConfirmed(api, asked.deviceCode)
    if (token !== undefined) return token
  }
  throw new Failure(exit.signIn, 'Nobody confirmed the code in time.', 'Begin again: muster login')
}

async function tokenIfConfirmed(api: Api, deviceCode: string): Promise<string | undefined> {
  try {
    return (await answerOf(api.POST('/api/v1/sign-in/device/token', { body: { deviceCode } }))).token
  } catch (error) {
    if (error instanceof ApiError && error.problem.type === 'urn:muster:problem:device_not_confirmed') return undefined
    if (error instanceof ApiError && error.status === 410)
      throw new Failure(exit.signIn, 'The code is over.', 'Begin again: muster login')
    throw error
  }
}
