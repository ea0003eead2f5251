import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Client, clientOf } from '../client.ts'
import type { BenchOrganization } from '../organization.ts'

export const targetNames = ['muster', 'scimmy', 'polis', 'bare'] as const
export type TargetName = (typeof targetNames)[number]

/** A server that is measured, in a process of its own. */
export interface Target {
  name: TargetName
  client: Client
  /** How its event loop and memory fared meanwhile. Heap and highest resident memory are as after a collection at its beginning. */
  watch(work: () => Promise<void>): Promise<Watched>
  /** A server that is still at work on what nobody waits for any more is stopped, and another started. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface Watched {
  /** The longest that the event loop was held. */
  heldMs: number
  /** How far the resident memory rose above where it was. */
  grownMb: number
}

// As bin/muster starts it.
const musterFlags = ['--max-semi-space-size=2', '--heap-growing-percent=10']
const files: Record<TargetName, [file: string, flags?: string[]]> = {
  muster: ['../server.ts', musterFlags],
  scimmy: ['../peers/scimmy.ts'],
  polis: ['../peers/polis.ts'],
  bare: ['../bare-handler.ts'],
}

/** The peers' packages; each is a package of `bench/peers/package.json`. */
export const peerPackages: Partial<Record<TargetName, string>> = { scimmy: 'scimmy', polis: '@boxyhq/saml-jackson' }

/** @param capMs how long a request may take before it is given up */
export async function startTarget(name: TargetName, bench: BenchOrganization, capMs: number): Promise<Target> {
  const { connection, scope, directory, token } = bench
  const [file, flags = []] = files[name]
  const argument = JSON.stringify({ connection, scimRate: 0, orgId: scope.orgId, directoryId: directory.id })
  const start = async (): Promise<{ child: ChildProcess; client: Client }> => {
    const child = fork(new URL(file, import.meta.url), [argument], {
      execArgv: [...flags, '--expose-gc', '--import', new URL('../watch.ts', import.meta.url).href],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    const [url] = (await said(child)) as [string]
    return { child, client: clientOf(url, token, { capMs }) }
  }
  let { child, client } = await start()
  const stop = async () => {
    client.close()
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  return {
    name,
    get client() {
      return client
    },
    async watch(work) {
      const before = await watched(child, 'watch')
      await work()
      const after = await watched(child, 'watched')
      return { heldMs: after.heldMs, grownMb: after.residentMb - before.residentMb }
    },
    async restart() {
      await stop()
      ;({ child, client } = await start())
    },
    stop,
  }
}

/** The peers are packages of their own, which the project does not carry: they are installed when they are to be measured. */
export function installPeers(): void {
  const folder = fileURLToPath(new URL('../peers', import.meta.url))
  if (existsSync(`${folder}/node_modules`)) return
  console.error('Installing the peers: npm ci --prefix bench/peers')
  const { status } = spawnSync('npm', ['ci', '--prefix', folder], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error('The peers could not be installed: npm ci --prefix bench/peers.')
}

async function watched(child: ChildProcess, message: 'watch' | 'watched'): Promise<{ heldMs: number; residentMb: number }> {
  child.send(message)
  const [answer] = await said(child)
  return (answer as { watched: { heldMs: number; residentMb: number } }).watched
}

const said = (child: ChildProcess): Promise<unknown[]> =>
  Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error(`A measured server ended: ${child.spawnargs.join(' ')}`)
    }),
  ])
