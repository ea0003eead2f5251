import { expect, test } from 'vitest'
import { newId, type OrgId, type TokenId } from '../../../src/database/ids.ts'
import { liveTokens } from '../../../src/http/auth/live-tokens.ts'
import { newSecret, type TokenKind } from '../../../src/organization/token-format.ts'

const secret = newSecret('scim')
const token = { orgId: newId<OrgId>(), id: newId<TokenId>() }

/** Tokens over a store in which the token can be revoked, a clock that is turned by hand, and a count of the questions. */
const world = (msLeft = 1e9) => worldOf('scim', msLeft)
const apiWorld = () => worldOf('api', 1e9)

function worldOf(kind: TokenKind, msLeft: number) {
  const state = { now: 0, isLive: true, questions: 0 }
  const tokens = liveTokens(
    kind,
    async (hash) => {
      state.questions++
      return { token, hash, msLeft: state.isLive ? msLeft : 0 }
    },
    () => state.now,
  )
  return { state, tokens }
}

test('a token is asked for once in 4 s, and a revocation is seen within 5 s', async () => {
  const { state, tokens } = world()
  expect(await tokens.find(secret)).toMatchObject({ token, isLive: true })
  state.isLive = false
  state.now = 3_999
  expect(await tokens.find(secret)).toMatchObject({ token, isLive: true })
  expect(state.questions).toBe(1)
  state.now = 4_000
  expect(await tokens.find(secret)).toMatchObject({ token, isLive: false })
})

test('a token that is dead is asked for once in 4 s, too', async () => {
  const { state, tokens } = world()
  state.isLive = false
  for (state.now = 0; state.now < 4_000; state.now += 1_000) expect(await tokens.find(secret)).toMatchObject({ isLive: false })
  expect(state.questions).toBe(1)
})

test('a token that expires meanwhile is not believed longer', async () => {
  const { state, tokens } = world(1_500)
  await tokens.find(secret)
  state.isLive = false
  state.now = 1_500
  expect(await tokens.find(secret)).toMatchObject({ isLive: false })
})

test('many requests at once ask once', async () => {
  const { state, tokens } = world()
  const found = await Promise.all(Array.from({ length: 50 }, () => tokens.find(secret)))
  expect(found.map((one) => one?.token)).toEqual(Array(50).fill(token))
  expect(state.questions).toBe(1)
})

test('what was asked before a revocation is not believed after it', async () => {
  const { state, tokens } = world()
  const before = tokens.find(secret)
  tokens.forget()
  await before
  await tokens.find(secret)
  expect(state.questions).toBe(2)
})

test('a mistyped token and one of the other kind are told without the database', async () => {
  const { state, tokens } = world()
  const last = secret.endsWith('A') ? 'B' : 'A'
  for (const wrong of [`${secret.slice(0, -1)}${last}`, newSecret('api'), 'muster_scim_', 'x'.repeat(40), secret.toUpperCase()]) {
    expect(await tokens.find(wrong), wrong).toBeUndefined()
  }
  expect(state.questions).toBe(0)
})

test('a chosen token may be a guess until it was right', async () => {
  const { state, tokens } = apiWorld()
  const chosen = 'chosen-by-an-operator-0123456789'
  expect(tokens.mayBeGuess(chosen)).toBe(true)
  await tokens.find(chosen)
  expect(tokens.mayBeGuess(chosen)).toBe(false)
  state.isLive = false
  state.now = 4_000
  await tokens.find(chosen)
  expect(tokens.mayBeGuess(chosen)).toBe(true)
  expect(tokens.mayBeGuess(newSecret('api'))).toBe(false)
})
