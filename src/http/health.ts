import type { FastifyInstance } from 'fastify'
import type { Db } from '../database/connection.ts'

const patienceMs = 1_000

/** `/livez` touches nothing; `/readyz` asks the database within a second, and says no while the server drains (rule 30). */
export function healthRoutes(app: FastifyInstance, db: Db): void {
  let isDraining = false
  app.decorate('drain', () => {
    isDraining = true
  })
  app.get('/livez', { schema: { hide: true } }, async () => ({ status: 'live' }))
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    if (isDraining) return reply.code(503).send({ status: 'draining' })
    return (await answersInTime(db)) ? { status: 'ready' } : reply.code(503).send({ status: 'no database' })
  })
}

async function answersInTime(db: Db): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, patienceMs, false)
  })
  // The table, not `select 1`: a database without our schema is not ready.
  const answer = db.pool.query('select from organizations limit 1').then(
    () => true,
    () => false,
  )
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
