import { expect, test } from 'vitest'
import { problemOf } from '../../src/http/api/problem.ts'
import { failureOf } from '../../src/http/failure.ts'
import { Refusal } from '../../src/organization/refusal.ts'

const fromPostgres = (code: string) =>
  Object.assign(new Error('duplicate key value violates "groups_own_their_name"'), { code, severity: 'ERROR' })

test.each([
  ['23505', 409],
  ['22021', 400],
  ['22P02', 400],
  ['22P05', 400],
  ['40001', 503],
  ['40P01', 503],
  ['53300', 503],
  ['57P01', 503],
  ['57P03', 503],
  ['08006', 503],
  ['57014', 503],
  ['42601', 500],
  ['23503', 500],
])('the state %s of PostgreSQL is a %i, and nothing of it is shown', (state, status) => {
  const failure = failureOf(fromPostgres(state))
  expect(failure.status).toBe(status)
  expect(failure.headers['retry-after']).toBe(status === 503 ? '5' : undefined)
  expect(JSON.stringify(problemOf(failure))).not.toMatch(/groups_own|duplicate key/)
})

test('a bug is a 500 that shows nothing of itself', () => {
  for (const bug of [new TypeError('select * from accounts at /srv/muster.ts'), 'text', undefined, null, { statusCode: 200 }]) {
    const problem = problemOf(failureOf(bug))
    expect(problem).toEqual({
      type: 'urn:muster:problem:internal',
      title: 'Internal',
      status: 500,
      detail: 'Something went wrong here. Tell the operator the request id.',
    })
  }
})

test('a database that is away is a 503', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })
  for (const error of [
    refused,
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
  ]) {
    expect(failureOf(error)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
  }
})

test("a refusal's facts are members of the problem, and none of them stands for its type", () => {
  const refusal = new Refusal('review_changed', 'It changed.', { changed: ['a'], type: 'mine', status: 200 })
  expect(problemOf(failureOf(refusal))).toEqual({
    type: 'urn:muster:problem:review_changed',
    title: 'Review changed',
    status: 409,
    detail: 'It changed.',
    changed: ['a'],
  })
})
