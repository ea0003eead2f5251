import { afterAll, onTestFinished } from 'vitest'
import { applyPlan } from '../../src/push/apply-plan.ts'
import { countBoth } from '../../src/push/count.ts'
import { makePlan } from '../../src/push/make-plan.ts'
import { pushSource } from '../../src/push/push-source.ts'
import type { Source } from '../../src/push/source.ts'
import { readCsvFolder } from '../../src/push/sources/csv-folder.ts'
import { readSource } from '../../src/push/sources/read-source.ts'
import { type ScimTarget, scimTarget } from '../../src/push/target/scim-target.ts'
import { startOkta } from '../push/okta-stand-in.ts'
import { hasSlapd, ldifOf, startSlapd } from '../push/slapd.ts'
import { startTinyScimService, type TinyScimService, token } from '../push/tiny-scim-service.ts'
import { startTestServer } from '../support/server.ts'
import { expect, test } from '../support/world.ts'

// Real groups of 2024, and what they were two years later.
const [before, after] = await Promise.all(
  ['existing', 'pushed'].map((folder) => readCsvFolder(`sample/kubernetes-org/${folder}`)),
)
// Half a minute in all: `PUSH_EVERYWHERE=1` pushes from every source into every target.
const everywhere = process.env.PUSH_EVERYWHERE === '1'
type Kind = 'csv' | 'ldap' | 'scim' | 'okta'

// Groups keep their ids from one snapshot to the next, as a server's do.
let service: TinyScimService | undefined
afterAll(() => service?.stop())

/** A snapshot, read from a real source of this kind. */
async function read(kind: Kind, source: Source): Promise<Source> {
  if (kind === 'ldap') {
    const slapd = await startSlapd(ldifOf(source))
    onTestFinished(slapd.stop)
    const at = {
      url: slapd.url,
      bindDn: 'cn=reader,dc=example,dc=org',
      userBase: 'ou=people,dc=example,dc=org',
      groupBase: 'ou=groups,dc=example,dc=org',
    }
    return readSource({ kind: 'ldap', ...at }, 'reads', 'anywhere')
  }
  if (kind === 'scim') {
    service ??= await startTinyScimService()
    const { target } = service
    await pushSource({ kind: 'folder', place: 'here', source }, target, { removeAbsent: true, allowRemovals: 100_000 })
    const all = await readSource({ kind: 'scim', url: service.url }, token, 'anywhere')
    // Those of the first snapshot alone are there still, switched off.
    return { ...all, users: all.users.filter(({ active }) => active) }
  }
  if (kind === 'okta') {
    const okta = await startOkta(source, 100_000)
    onTestFinished(okta.stop)
    return readSource({ kind: 'okta', url: okta.url }, okta.token, 'anywhere')
  }
  return source
}

/** Pushes both snapshots, one after the other, and counts both sides after each. */
async function pushBoth(kind: Kind, target: ScimTarget) {
  const options = { removeAbsent: true, allowRemovals: 100_000 }
  for (const snapshot of [before, after]) {
    if (!snapshot) throw new Error('The sample is not there.')
    const from = { kind, place: 'here', source: await read(kind, snapshot) }
    const made = await makePlan({ from, target, options })
    expect(made.plan.stops).toEqual([])
    expect((await applyPlan(made.plan, made, target)).errors).toEqual([])
    // Empty without exception: what is not in the source is gone too.
    expect((await makePlan({ from, target, options })).plan).toMatchObject({ people: [], groups: [] })
    const { source, target: there, differences } = await countBoth(from, target)
    expect({ ...there, differences }).toEqual({ ...source, differences: 0 })
    expect(there.groups).toBe(snapshot.groups.length)
    expect(there.people).toBe(snapshot.users.length)
  }
}

const kinds = (['csv', 'ldap', 'scim', 'okta'] as const).filter((kind) => kind !== 'ldap' || hasSlapd())

test.for(everywhere ? kinds : (['csv'] as const))(
  'kubernetes-org from %s into a fresh Muster, then its second snapshot',
  { timeout: 120_000 },
  async (kind, { database, org }) => {
    const directory = await org.directory()
    const server = await startTestServer(database, false, 0)
    onTestFinished(server.stop)
    const target = scimTarget({ url: `${server.url}/scim/v2`, token: directory.token })
    onTestFinished(target.close)
    await pushBoth(kind, target)
  },
)

test.for(kinds)(
  'kubernetes-org from %s into a server that is not ours, then its second snapshot',
  { timeout: 60_000 },
  async (kind) => {
    const service = await startTinyScimService()
    onTestFinished(service.stop)
    await pushBoth(kind, service.target)
    const names = new Map(after?.users.map(({ id, userName }) => [id, userName]))
    expect(service.members()).toEqual(
      Object.fromEntries(after?.groups.map(({ name, members }) => [name, members.map((id) => names.get(id)).sort()]) ?? []),
    )
  },
)
