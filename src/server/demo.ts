import { existsSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { CannotStart } from '../database/cannot-start.ts'
import { ownEmbedded } from '../database/embedded.ts'
import { createConsoleLink } from './first-link.ts'
import { type RunningServer, startServer } from './start.ts'

export interface DemoServer {
  folder: string
  org: string
  adminToken: string
  preferredPort: number | undefined
}

/** Starts a server on a data folder of its own, whatever the environment says, on the port of last time if it is free.
 * @throws CannotStart, among others where a demo runs on the folder already */
export async function startDemoServer(
  { folder, org, adminToken, preferredPort }: DemoServer,
  say: (line: string) => void,
): Promise<RunningServer> {
  const host = '127.0.0.1'
  const port = preferredPort !== undefined && (await isFree(host, preferredPort)) ? preferredPort : 0
  const database = { folder: serverFolder(folder) }
  return startServer(
    {
      database,
      host,
      port,
      publicUrl: undefined,
      logLevel: 'silent',
      scimRate: unlimited,
      org,
      adminToken,
      auditKey: undefined,
      secret: undefined,
      outgoingAllow: '',
      smtpUrl: undefined,
      mailFrom: '',
    },
    say,
  ).catch(inWordsOfTheDemo)
}

/** A link that opens the console of a demo that runs once, signed in as its owner. */
export async function demoLink(folder: string, org: string): Promise<string> {
  const { path } = await createConsoleLink({ database: { folder: serverFolder(folder) }, org }, 'owner@demo.example')
  return path
}

/** Removes a demo's folder. @throws CannotStart, where a server runs on it, or where it is no demo's folder */
export async function forgetDemo(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  const isOurs = existsSync(join(serverFolder(folder), 'postgres'))
  if (!isOurs && readdirSync(folder).length > 0)
    throw new CannotStart(`${folder} holds something else than a demo: name another folder by --data.`)
  if (isOurs) await (await ownEmbedded({ folder: serverFolder(folder) }).catch(inWordsOfTheDemo)).stop()
  rmSync(folder, { recursive: true, force: true })
}

// The pusher is our own and on this machine; at a provider's rate 2,289 requests would take 36 s.
const unlimited = 0

// The folder is named by an option here, not by the environment.
function inWordsOfTheDemo(error: unknown): never {
  throw error instanceof CannotStart ? new CannotStart(error.message.replace('MUSTER_DATA', '--data'), { cause: error }) : error
}

const serverFolder = (folder: string): string => join(folder, 'server')

function isFree(host: string, port: number): Promise<boolean> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}
