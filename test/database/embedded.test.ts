import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { type Embedded, ownEmbedded, visitEmbedded } from '../../src/database/embedded.ts'
import { findBinaries } from '../../src/database/embedded-binaries.ts'
import { isAlive, processesOf } from '../../src/database/postmaster.ts'
import { dataFolder, runProgram } from '../support/programs.ts'

test('a new folder gets a PostgreSQL, whose application role is no superuser and owns its database', async () => {
  const embedded = await own(dataFolder())
  expect(embedded.how).toBe('created')
  expect(
    await ask(
      embedded,
      `select rolsuper, rolbypassrls, pg_get_userbyid(datdba) as owner from pg_roles, pg_database
    where rolname = current_user and datname = current_database()`,
    ),
  ).toEqual([{ rolsuper: false, rolbypassrls: false, owner: 'muster' }])
})

test('stopped and started again it has what it had, and leaves no process behind', async () => {
  const folder = dataFolder()
  const first = await own(folder)
  await ask(first, 'create table kept as select 7 as value')
  await first.stop()
  expect(processesOf(join(folder, 'postgres'))).toEqual([])
  const again = await own(folder)
  expect(again.how).toBe('started')
  expect(await ask(again, 'select value from kept')).toEqual([{ value: 7 }])
})

test('a folder in use is refused within two seconds, saying who holds it and since when', async () => {
  const folder = dataFolder()
  const owner = runProgram('test/support/own-folder.ts', [folder])
  await owner.says(/^owns/)
  const began = performance.now()
  await expect(ownEmbedded({ folder })).rejects.toThrow(
    new RegExp(
      `^The data folder ${folder} is in use by process ${owner.pid}, since \\d{4}-\\d\\d-\\d\\dT.*Z: stop that one, or .*MUSTER_DATA`,
    ),
  )
  expect(performance.now() - began).toBeLessThan(2_000)
})

test('two that start at the same moment on a new folder: one owns it, the other is refused', async () => {
  const folder = dataFolder()
  const programs = [runProgram('test/support/own-folder.ts', [folder]), runProgram('test/support/own-folder.ts', [folder])]
  const outcomes = await Promise.all(programs.map((program) => program.says(/^owns|CannotStart.*in use by process/)))
  expect(outcomes.filter((line) => line.startsWith('owns'))).toHaveLength(1)
})

test('after kill -9 of its owner the running PostgreSQL is taken over, with all that was committed', async () => {
  const folder = dataFolder()
  const owner = runProgram('test/support/own-folder.ts', [folder])
  const pid = Number((await owner.says(/^owns/)).split(' ')[1])
  await ask(await visitEmbedded({ folder }), 'create table kept as select 7 as value')
  await owner.end('SIGKILL')
  const taken = await own(folder)
  expect({ how: taken.how, pid: taken.pid() }).toEqual({ how: 'taken over', pid })
  expect(await ask(taken, 'select value from kept')).toEqual([{ value: 7 }])
})

test('after kill -9 of PostgreSQL its owner starts it again, with all that was committed', async () => {
  const { promise: runsAgain, resolve } = Promise.withResolvers<string>()
  const embedded = await own(dataFolder(), (line) => {
    if (line.startsWith('PostgreSQL runs again')) resolve(line)
  })
  await ask(embedded, 'create table kept as select 7 as value')
  const killed = embedded.pid()
  process.kill(killed, 'SIGKILL')
  await runsAgain
  expect(embedded.pid()).not.toBe(killed)
  expect(await ask(embedded, 'select value from kept')).toEqual([{ value: 7 }])
})

test('a killed PostgreSQL whose process id is by now another program of the same user does not keep it from starting', async () => {
  const folder = dataFolder()
  await killBoth(folder)
  const pidFile = join(folder, 'postgres/postmaster.pid')
  const { uid, gid } = statSync(pidFile)
  const other = spawn('sleep', ['600'], { uid, gid, stdio: 'ignore' })
  onTestFinished(() => void other.kill('SIGKILL'))
  writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(other.pid)))
  expect((await own(folder)).how).toBe('started')
  expect(isAlive(other.pid ?? 0)).toBe(true)
})

test('a killed PostgreSQL that nobody has reaped does not keep it from starting', async () => {
  const folder = dataFolder()
  const owner = runProgram('test/support/own-folder.ts', [folder])
  const pid = Number((await owner.says(/^owns/)).split(' ')[1])
  // A stopped parent reaps nobody: the killed server stays a zombie.
  process.kill(owner.pid, 'SIGSTOP')
  process.kill(pid, 'SIGKILL')
  const again = await own(folder)
  expect(again.how).toBe('started')
  expect(isAlive(pid)).toBe(true)
})

test('a command beside the running server visits the folder and leaves the server running', async () => {
  const folder = dataFolder()
  const embedded = await own(folder)
  const visitor = await visitEmbedded({ folder })
  expect(visitor.how).toBe('visited')
  expect(await ask(visitor, 'select current_user::text as me')).toEqual([{ me: 'muster' }])
  await visitor.stop()
  expect(isAlive(embedded.pid())).toBe(true)
})

test('a folder whose path is longer than a socket may be has its socket elsewhere, and none after it is stopped', async () => {
  const embedded = await own(dataFolder('long-'.repeat(20)))
  const { host } = embedded.connection
  expect(await ask(embedded, 'select 1 as one')).toEqual([{ one: 1 }])
  await embedded.stop()
  expect(existsSync(host)).toBe(false)
})

test('a folder that cannot be made, or a platform without PostgreSQL, is said in a line with what to do', async () => {
  const folder = dataFolder()
  writeFileSync(folder, 'a file')
  await expect(ownEmbedded({ folder })).rejects.toThrow(
    /^The data folder .* cannot be used: a file is in the way: choose another folder by MUSTER_DATA\.$/,
  )
  await expect(findBinaries('plan9-x64')).rejects.toThrow(/^No PostgreSQL for plan9-x64 is installed: .* set DATABASE_URL/)
})

async function own(folder: string, onEvent: (line: string) => void = () => {}): Promise<Embedded> {
  const embedded = await ownEmbedded({ folder, onEvent })
  onTestFinished(() => embedded.stop())
  return embedded
}

async function killBoth(folder: string): Promise<void> {
  const owner = runProgram('test/support/own-folder.ts', [folder])
  const pid = Number((await owner.says(/^owns/)).split(' ')[1])
  await owner.end('SIGKILL')
  process.kill(pid, 'SIGKILL')
}

async function ask(embedded: Embedded, query: string): Promise<unknown[]> {
  const client = new Client(embedded.connection)
  await client.connect()
  try {
    return (await client.query(query)).rows
  } finally {
    await client.end()
  }
}
