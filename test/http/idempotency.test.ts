import type { FastifyRequest } from 'fastify'
import { sql } from 'kysely'
import { inTransaction } from '../../src/database/transaction.ts'
import { idempotent } from '../../src/http/api/idempotency.ts'
import { expect, test } from '../support/world.ts'

/** What `idempotent` reads of a request. */
const post = (key: string | undefined, body: unknown, url = '/api/v1/directories/okta/runs') =>
  ({
    method: 'POST',
    url,
    routeOptions: { url: '/api/v1/directories/:directory/runs' },
    headers: { 'idempotency-key': key },
    body,
  }) as unknown as FastifyRequest

test('the same key and request do the work once and answer the same', async ({ inOrg }) => {
  let times = 0
  const work = async () => ({ status: 202, body: { run: ++times } })
  for (let count = 0; count < 3; count++) {
    expect(await inOrg((trx) => idempotent(trx, post('k', { all: true }), work))).toEqual({ status: 202, body: { run: 1 } })
  }
  expect(await inOrg((trx) => idempotent(trx, post('other', { all: true }), work))).toMatchObject({ body: { run: 2 } })
  expect(await inOrg((trx) => idempotent(trx, post(undefined, { all: true }), work))).toMatchObject({ body: { run: 3 } })
})

test('the same key with another body or path is refused', async ({ inOrg }) => {
  const work = async () => ({ status: 202, body: {} })
  await inOrg((trx) => idempotent(trx, post('k', { all: true }), work))
  const refusal = { code: 'idempotency_key_reused' }
  await expect(inOrg((trx) => idempotent(trx, post('k', { all: false }), work))).rejects.toMatchObject(refusal)
  await expect(
    inOrg((trx) => idempotent(trx, post('k', { all: true }, '/api/v1/directories/entra/runs'), work)),
  ).rejects.toMatchObject(refusal)
})

test('beside the first request with a key, the second is told to wait', async ({ inOrg }) => {
  const work = async () => ({ status: 202, body: {} })
  await inOrg((trx) =>
    idempotent(trx, post('k', {}), async () => {
      await expect(inOrg((second) => idempotent(second, post('k', {}), work))).rejects.toMatchObject({
        code: 'idempotency_key_in_flight',
      })
      return work()
    }),
  )
})

test('work that fails keeps no key', async ({ inOrg }) => {
  await expect(inOrg((trx) => idempotent(trx, post('k', {}), () => Promise.reject(new Error('refused'))))).rejects.toThrow(
    'refused',
  )
  expect(await inOrg((trx) => idempotent(trx, post('k', { again: true }), async () => ({ status: 202, body: 1 })))).toEqual({
    status: 202,
    body: 1,
  })
})

test("a key is forgotten after 24 hours, and is its actor's own", async ({ db, inOrg, org }) => {
  let times = 0
  const work = async () => ({ status: 202, body: ++times })
  await inOrg((trx) => idempotent(trx, post('k', {}), work))
  await inTransaction(db, { ...org.scope, actor: 'token:another' }, (trx) => idempotent(trx, post('k', {}), work))
  expect(times).toBe(2)
  await inOrg((trx) =>
    sql`update idempotency_keys set created_at = now() - interval '24 hours' where org_id = ${org.id}`.execute(trx),
  )
  await inOrg((trx) => idempotent(trx, post('k', { other: true }), work))
  expect(times).toBe(3)
  expect(await inOrg((trx) => trx.selectFrom('idempotency_keys').select('key').execute())).toHaveLength(1)
})
