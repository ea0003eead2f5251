import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mayConnect, type Reach, readAllowList } from '../../src/outgoing/address.ts'
import { outgoing } from '../../src/outgoing/request.ts'

// Rule 26.
const nothing = readAllowList('')
let url: string
const server = createServer((request, response) => {
  if (request.url === '/moved') return response.writeHead(302, { location: '/' }).end()
  if (request.url === '/large') return response.end('x'.repeat(2_000))
  if (request.url === '/never') return
  if (request.url === '/cut')
    return response.writeHead(200, { 'content-length': '10' }).write('half', () => request.socket.destroy())
  response.end('here')
})
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const get = async (to: string, reach: Reach = 'anywhere', limits: { timeoutMs?: number; maxBytes?: number } = {}) => {
  const way = outgoing({ reach, ...limits })
  return way.send({ method: 'GET', url: to }).finally(way.close)
}

test('https alone, and public addresses alone, unless the deployment allows others', async () => {
  await expect(get(url, nothing)).rejects.toThrow('http is not allowed for 127.0.0.1')
  await expect(get('https://127.0.0.1/', nothing)).rejects.toThrow('127.0.0.1 is a private address')
  await expect(get('https://[::ffff:127.0.0.1]/', nothing)).rejects.toThrow('is a private address')
  // What a name leads to is looked at, not the name alone.
  await expect(get('https://localhost/', nothing)).rejects.toThrow('localhost is a private address')
  await expect(get('file:///etc/passwd', 'anywhere')).rejects.toThrow('file: is not https')
  await expect(get('https://ada:secret@example.org/', 'anywhere')).rejects.toThrow('must not hold a user name')
  expect((await get(url, readAllowList('127.0.0.1'))).text).toBe('here')
  expect((await get(url.replace('127.0.0.1', 'localhost'), readAllowList('localhost'))).text).toBe('here')
})

describe('addresses that are not public', () => {
  const addresses = [
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.9.9.9', '169.254.169.254', '172.31.0.1', '192.168.0.1', '224.0.0.1'],
    ...['255.255.255.255', '::', '::1', '::ffff:10.0.0.1', '::10.0.0.1', '64:ff9b::a00:1', 'fd00::1', 'fe80::1', 'ff02::1'],
    ...['2002:a00:1::', '2001:db8::1'],
  ]
  test.for(addresses)('%s', (address) => expect(mayConnect(address, 'x.example', nothing)).toBe(false))
  test('and those that are', () => {
    for (const address of ['1.1.1.1', '172.32.0.1', '192.167.0.1', '2606:4700::1111', '::ffff:1.1.1.1'])
      expect(mayConnect(address, 'x.example', nothing), address).toBe(true)
    expect(mayConnect('10.1.2.3', 'x.example', readAllowList('10.0.0.0/8, fd00::/8'))).toBe(true)
  })
})

test('redirects are answers, and are not followed', async () => expect((await get(`${url}/moved`)).status).toBe(302))

test('limits on time and size; half an answer is none', async () => {
  await expect(get(`${url}/large`, 'anywhere', { maxBytes: 1_000 })).rejects.toThrow('its answer is longer than')
  await expect(get(`${url}/never`, 'anywhere', { timeoutMs: 50 })).rejects.toMatchObject({ wasSent: true })
  await expect(get(`${url}/cut`)).rejects.toMatchObject({ wasSent: true })
  await expect(get('http://127.0.0.1:1/')).rejects.toMatchObject({ wasSent: false, message: 'ECONNREFUSED' })
})
