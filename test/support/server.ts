import { createServer } from 'node:net'
import { startJobs } from '../../src/database/jobs.ts'
import { newSecretKey, readSecretKeys, type SecretKeys } from '../../src/database/secrets.ts'
import type { Parts } from '../../src/http/parts.ts'
import { readAllowList } from '../../src/outgoing/address.ts'
import type { DatabaseCopy } from './database-copy.ts'

/** The real server on a port of its own, with its jobs running. */
export interface TestServer {
  url: string
  /** What it seals secrets with. */
  secrets: SecretKeys
  stop(): Promise<void>
}

export async function startTestServer(
  { db, connection }: DatabaseCopy,
  logger: Parts['logger'] = false,
  scimRate?: number,
): Promise<TestServer> {
  const { buildApp } = await import('../../src/http/app.ts')
  const { startWorkers } = await import('../../src/server/workers.ts')
  const jobs = await startJobs(connection, (error) => console.error(error))
  const secrets = readSecretKeys(newSecretKey())
  const reach = readAllowList('127.0.0.1')
  await startWorkers(db, jobs, { secrets, reach })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const app = await buildApp({
    db,
    publicUrl: url,
    jobs,
    secrets,
    reach,
    version: '0.0.0-test',
    logger,
    checkAnswers: true,
    ...(scimRate === undefined ? {} : { scimRate }),
  })
  await app.listen({ host: '127.0.0.1', port })
  return {
    url,
    secrets,
    stop: async () => {
      await app.close()
      await jobs.stop()
    },
  }
}

/** A port that nobody listens on at this moment: the public URL must be known before listening. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No port was given.')
  return address.port
}
