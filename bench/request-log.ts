import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Client, clientOf } from './client.ts'
import { median, withBenchOrganization } from './organization.ts'
import { microseconds } from './processor-time.ts'
import { blocks } from './scim/rows.ts'
import { seedMuster } from './scim/seed.ts'

// What the request log adds to a push of one member: two servers on one database, with and without it, by turns in many short rounds. Of
// processor time, which tells such a difference better than a rate does: of the server, and of all processes of the database. Linux.

const rounds = Number(process.argv[2] ?? 20)
const seconds = 1

await withBenchOrganization({ scimRate: 0 }, async (bench) => {
  await seedMuster(bench)
  const row = blocks.flat().find(({ name }) => name === 'add / remove one, 1,000 groups of 10')
  if (row === undefined) throw new Error('There is no such row.')
  const sources = Array.from({ length: 8 }, (_, connection) => row.source(connection))
  const start = async (keepRequests: boolean): Promise<{ child: ChildProcess; client: Client }> => {
    const given = JSON.stringify({ connection: bench.connection, scimRate: 0, keepRequests })
    const child = fork(new URL('./server.ts', import.meta.url), [given])
    const [url] = (await once(child, 'message')) as [string]
    return { child, client: clientOf(url, bench.token) }
  }
  const [on, off] = [await start(true), await start(false)]
  try {
    const added: number[] = []
    const costs: number[] = []
    for (let round = -2; round < rounds; round++) {
      const each: number[] = []
      for (const { child, client } of round % 2 === 0 ? [on, off] : [off, on]) {
        const before = microseconds([child.pid], bench.connection.host)
        const { times } = await client.load(sources, seconds)
        // Lines are written once a second: those of these pushes are in this round.
        await new Promise((resolve) => setTimeout(resolve, 1_200))
        each.push((microseconds([child.pid], bench.connection.host) - before) / times.length)
      }
      const [withIt, without] = (round % 2 === 0 ? each : each.toReversed()) as [number, number]
      if (round < 0) continue
      costs.push(without)
      added.push(withIt / without - 1)
    }
    const share = median(added) * 100
    console.log(
      `a push of one member: ${median(costs).toFixed(0)} us of processor time, the request log adds ${share.toFixed(1)} % (goal below 3)`,
    )
  } finally {
    for (const { child, client } of [on, off]) {
      client.close()
      child.kill()
    }
  }
})
