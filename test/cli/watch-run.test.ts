import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { connect } from '../../src/cli/api.ts'
import { exit } from '../../src/cli/failure.ts'
import { outputTo } from '../../src/cli/views/output.ts'
import { watchRun } from '../../src/cli/watch-run.ts'
import { freePort } from '../support/server.ts'
import { test } from './command-line.ts'

/** What may befall a request on its way. */
const cut = (answer: ServerResponse) => answer.destroy()
const cutInTheMiddle = (answer: ServerResponse) => {
  answer.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  answer.write('{"id":', () => answer.destroy())
}
const badGateway = (answer: ServerResponse) => answer.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')

/** A way to the server on which the first requests for a run are lost, each as it is said. */
async function lossyWay(to: string, losses: ((answer: ServerResponse) => void)[]): Promise<string> {
  const way = createServer(async (request, answer) => {
    const lose = /\/runs\/[^/]+$/.test(request.url ?? '') ? losses.shift() : undefined
    if (lose) return lose(answer)
    const { authorization = '' } = request.headers
    const response = await fetch(`${to}${request.url}`, { headers: { authorization } })
    answer.writeHead(response.status, { 'content-type': response.headers.get('content-type') ?? '' }).end(await response.text())
  })
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void way.close())
  return `http://127.0.0.1:${(way.address() as AddressInfo).port}`
}

test('who watches a run goes on where requests are lost on the way', async ({ muster, server, acme, okta }) => {
  await acme.has({ group: 'Wheel', members: ['ada'] })
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'Wheel', members: ['ada', 'cyd'] })
  const { id } = JSON.parse((await muster('sync Wheel --yes --json')).stdout)
  const env = { MUSTER_SERVER: await lossyWay(server.url, [cut, cutInTheMiddle, badGateway]) }
  expect(await muster(`runs watch ${id}`, { env })).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('1 synced'),
    stderr: expect.stringMatching(/^http:\S+ cannot be reached: \S+ Asking again; the run goes on\.\n/),
  })
  // What the server says is an answer, at once.
  expect(await muster('runs watch nothing', { env })).toMatchObject({ exitCode: 1, stdout: '' })
})

test('where the server is heard of no more it says that the run goes on', async () => {
  const api = connect({ server: `http://127.0.0.1:${await freePort()}`, token: 'a', timeoutMs: 1_000 })
  const out = outputTo({ quiet: true }, { noColor: true, forceColor: false, isDumbTerminal: true })
  await expect(watchRun(api, '0193', out, 300)).rejects.toMatchObject({
    code: exit.failed,
    message: 'The server was not heard of for 0.3 s. The run goes on where the server does: 0193',
    advice: expect.stringContaining('muster runs watch 0193'),
  })
})
