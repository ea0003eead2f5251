import { expect, test } from '../support/story.ts'

// Many at once: they are read by one statement, and each is answered as if it had come alone.

test('users and groups that are looked up at the same time are each found, missed or hidden as alone', async ({
  okta,
  entra,
}) => {
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'Staff', members: ['ada', 'bob'] })
  await entra.knows('dan')
  const [ada, bob, dan, staff] = [okta.idOfPerson('ada'), okta.idOfPerson('bob'), entra.idOfPerson('dan'), okta.idOf('Staff')]
  const paths = [
    `/Users/${ada}`,
    `/Users/${bob.toUpperCase()}`,
    `/Users/${dan}`,
    '/Users/none',
    `/Users/${ada}?excludedAttributes=groups`,
    `/Users?filter=${encodeURIComponent('userName eq "CYD"')}`,
    `/Users?filter=${encodeURIComponent('userName eq "dan"')}`,
    `/Users?filter=${encodeURIComponent(`id eq "${bob}"`)}`,
    `/Users?filter=${encodeURIComponent(`id eq "${bob.toUpperCase()}"`)}`,
    `/Groups/${staff}`,
    `/Groups/${ada}`,
    `/Groups?filter=${encodeURIComponent('displayName eq "STAFF"')}`,
    `/Groups?filter=${encodeURIComponent('displayName eq "Nobody"')}`,
    `/Groups?filter=${encodeURIComponent(`id eq "${staff}"`)}`,
  ]
  const shown = ({ status, body }: { status: number; body: Record<string, unknown> }) => ({ status, body })
  const alone = []
  for (const path of paths) alone.push(shown(await okta.request('GET', path)))
  const together = await Promise.all([...paths, ...paths].map((path) => okta.request('GET', path)))
  expect(together.map(shown)).toEqual([...alone, ...alone])
  expect(alone.map(({ status }) => status)).toEqual([200, 200, 404, 404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 200])
  const totals = alone.map(({ body }) => body.totalResults)
  expect(totals.filter((total) => total !== undefined)).toEqual([1, 0, 1, 0, 1, 0, 1])
})

test('a look-up whose connection is lost fails, and the next one finds another', async ({ okta, db }) => {
  await okta.knows('ada')
  const path = `/Users/${okta.idOfPerson('ada')}`
  const reads = () => Promise.all(Array.from({ length: 20 }, () => okta.request('GET', path)))
  expect((await reads()).every(({ status }) => status === 200)).toBe(true)
  await db.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'muster' and pid <> pg_backend_pid()",
  )
  await reads()
  await expect.poll(async () => (await reads()).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
})
