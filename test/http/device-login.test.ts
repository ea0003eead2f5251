import { browserOf } from '../support/browser.ts'
import { clientOf } from '../support/clients.ts'
import { dataFolder, runProgram } from '../support/programs.ts'
import { expect, test } from '../support/world.ts'

test('a program shows a code; whoever confirms it lets the program have a token of theirs, once', async ({ api, db, server }) => {
  const program = clientOf(`${server.url}/api/v1`, 'application/json', undefined)
  const { body } = await api('POST', '/admins', { person: 'ada@example.org', role: 'auditor' })
  const ada = browserOf(server.url)
  await ada('POST', '/sign-in/link', { link: body.link.url.split('#')[1] })

  const { body: asked } = await program('POST', '/sign-in/device', { device: 'laptop' })
  expect(asked).toMatchObject({
    userCode: expect.stringMatching(/^[B-Z]{4}-[B-Z]{4}$/),
    url: `${server.url}/device?code=${asked.userCode}`,
  })
  const take = () => program('POST', '/sign-in/device/token', { deviceCode: asked.deviceCode })
  expect(await take()).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:device_not_confirmed' } })
  expect((await api('POST', `/session/devices/${asked.userCode}`, {})).status).toBe(400)
  const typed = asked.userCode.toLowerCase().replace('-', ' ')
  expect((await ada('GET', `/session/devices/${encodeURIComponent(typed)}`)).body).toMatchObject({
    device: 'laptop',
    address: '127.0.0.1',
  })
  expect((await ada('POST', `/session/devices/${asked.userCode}`, undefined, { origin: 'https://evil.example' })).status).toBe(
    403,
  )
  expect((await ada('POST', `/session/devices/${asked.userCode}`)).status).toBe(204)
  expect((await ada('POST', `/session/devices/${asked.userCode}`)).status).toBe(404)
  const { token } = (await take()).body
  expect((await take()).status).toBe(410)
  expect((await api('GET', '/session', undefined, { token })).body).toMatchObject({
    person: { userName: 'ada@example.org' },
    role: 'auditor',
  })
  expect((await api('POST', '/groups', { name: 'X' }, { token })).status).toBe(403)
  await api('DELETE', '/admins/ada@example.org')
  expect((await api('GET', '/session', undefined, { token })).status).toBe(401)

  const { body: late } = await program('POST', '/sign-in/device', { device: 'laptop' })
  await db.pool.query(
    "begin; set local muster.org_id = '00000000-0000-0000-0000-000000000000'; update device_logins set expires_at = now(); commit",
  )
  expect((await program('POST', '/sign-in/device/token', { deviceCode: late.deviceCode })).status).toBe(410)
  expect((await program('POST', '/sign-in/device', { device: 'x'.repeat(101) })).status).toBe(400)
})

test('muster login shows a code, waits until it is confirmed, and keeps the token; muster logout revokes it', async ({
  api,
  server,
}) => {
  const { body } = await api('POST', '/admins', { person: 'ada@example.org', role: 'admin' })
  const ada = browserOf(server.url)
  await ada('POST', '/sign-in/link', { link: body.link.url.split('#')[1] })
  const env = { MUSTER_CONFIG_DIR: dataFolder() }
  const login = runProgram('src/cli/main.ts', ['login', '--server', server.url], env)
  const [, code] = /confirm the code (\S+):/.exec(await login.says(/confirm the code/)) ?? []
  expect((await ada('POST', `/session/devices/${code}`)).status).toBe(204)
  expect(await login.ended()).toEqual({ exitCode: 0 })
  const whoami = runProgram('src/cli/main.ts', ['whoami'], env)
  expect(await whoami.says(/muster login on/)).toBeTruthy()
  const logout = runProgram('src/cli/main.ts', ['logout'], env)
  expect(await logout.says(/Signed out/)).toBeTruthy()
  expect((await api('GET', '/api-tokens?search=muster login')).body.items[0].revokedAt).not.toBeNull()
})
