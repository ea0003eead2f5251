import { DatabaseError } from 'pg'
import { isAway, sqlState } from '../../src/database/errors.ts'
import { expect, test } from '../support/world.ts'

const sent = (code: string) => Object.assign(new DatabaseError('sent', 4, 'error'), { code })
const ofSystem = (code: string, syscall?: string) => Object.assign(new Error(`${syscall} ${code}`), { code, syscall })

test('a SQLSTATE is what PostgreSQL sent, whichever driver reads it; a system error of five capitals is none', () => {
  expect(sqlState(sent('23505'))).toBe('23505')
  expect(sqlState(Object.assign(new Error('sent'), { severity: 'ERROR', code: '40001' }))).toBe('40001')
  for (const error of [ofSystem('EPIPE', 'write'), { code: '23505' }, new Error('no'), null, 'EPIPE'])
    expect(sqlState(error)).toBeUndefined()
})

test.for([
  sent('08006'),
  sent('53300'),
  sent('57P01'),
  ofSystem('EPIPE', 'write'),
  ofSystem('ECONNRESET', 'read'),
  ofSystem('ECONNREFUSED', 'connect'),
  ofSystem('ENOENT', 'connect'),
  Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
  new Error('Connection terminated unexpectedly'),
  new Error('timeout exceeded when trying to connect'),
  new Error('Client has encountered a connection error and is not queryable'),
])('the database is away: %s', (error) => {
  expect(isAway(error)).toBe(true)
})

test.for([sent('57014'), sent('23505'), sent('40001'), ofSystem('ENOENT', 'open'), new Error('planted'), null])(
  'the database is there: %s',
  (error) => {
    expect(isAway(error)).toBe(false)
  },
)
