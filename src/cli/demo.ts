import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, answer, connect } from './api.ts'
import { importFolder } from './commands/import.ts'
import { pushTo } from './commands/push.ts'
import { organizationName, topGroups } from './commands/reviews/effect.ts'
import { demoFolder, demoProfile, profilesPathIn, readProfiles, writeProfiles } from './profile.ts'
import type { DirectoryDetail, ImportReport, Listed, NewDirectory, Selected } from './shapes.ts'
import { type DemoReview, demoView, importedLine, nextCommands, pushedLine } from './views/demo.ts'
import { type Output, print } from './views/output.ts'

export interface DemoOptions {
  exit?: true
  fresh?: true
  data: string
}

const sample = resolve(import.meta.dirname, '../../sample/kubernetes-org')
const directoryName = 'okta'
const org = 'kubernetes'
// Long enough to show what filling is, short enough that what is told to type next works.
const quietSeconds = 5

/**
 * A server of its own with a real organization: imported, pushed to by real HTTP, reviewed. Run again, it goes on from its
 * folder: what is there is not imported or pushed twice. Stays until Ctrl-C, unless `exit`.
 * @throws CannotStart, Failure
 */
export async function runDemo(options: DemoOptions, out: Output): Promise<void> {
  const began = performance.now()
  const { startDemoServer, forgetDemo, demoLink } = await import('../server/demo.ts')
  const { runUntilSignalled } = await import('../server/run.ts')
  const folder = resolve(options.data)
  if (options.fresh) await forgetDemo(folder)
  const path = profilesPathIn(folder)
  const before = readProfiles(path).profiles[demoProfile]
  const token = before?.token ?? randomBytes(32).toString('hex')
  const preferredPort = before ? Number(new URL(before.server).port) : undefined
  const starting = startDemoServer({ folder, org, adminToken: token, preferredPort }, () => {})
  const server = await runUntilSignalled(starting, out.say)
  try {
    writeProfiles(path, { current: demoProfile, profiles: { [demoProfile]: { server: server.url, token, org } } })
    out.say(`Server at ${server.url}, data in ${folder} (${seconds(began)})`)
    const api = connect({ server: server.url, token, timeoutMs: 60_000 })
    const imported = await importOnce(api, out)
    const pushed = await pushOnce(api, out)
    const review = await settledReview(api, out)
    const answer = { server: server.url, imported, pushed, ...review, tookMs: Math.round(performance.now() - began) }
    print(out, answer, () => demoView(review, out))
    if (options.exit) return
    if (!out.json) out.data(`\n${nextCommands(folder === demoFolder ? demoProfile : path)}`)
    out.say(`\nIn the browser, once, within 10 minutes: ${server.url}${await demoLink(folder, org)}`)
    out.say(`\nThe demo runs until Ctrl-C, and goes on from here the next time (${seconds(began)}).`)
    await new Promise<never>(() => {})
  } finally {
    await server.stop()
  }
}

async function importOnce(api: Api, out: Output): Promise<ImportReport | null> {
  const { total } = await answer<Listed<unknown>>(api.GET('/api/v1/groups', { params: { query: { limit: 1 } } }))
  if (total > 0) return null
  const report = await importFolder(api, `${sample}/existing`)
  out.say(importedLine(report))
  return report
}

// What a push that was cut short left out is pushed now: the pusher sends what differs.
async function pushOnce(api: Api, out: Output) {
  const began = performance.now()
  const folder = `${sample}/pushed`
  const { readCsvFolder } = await import('../push/sources/csv-folder.ts')
  const source = await readCsvFolder(folder)
  const { items } = await answer<Listed<{ name: string }>>(api.GET('/api/v1/directories', { params: { query: { limit: 0 } } }))
  const there = items.some(({ name }) => name === directoryName) ? await showDirectory(api) : undefined
  if (there && there.users.received >= source.users.length && there.groups.received >= source.groups.length) return null
  const { scimUrl, token } = there ? { scimUrl: there.scimUrl, token: await anotherToken(api) } : await createDirectory(api)
  const result = await pushTo({ source: folder, url: scimUrl, token, atOnce: 8, removeAbsent: false, allowRemovals: 0 }, out)
  out.say(`${pushedLine(result)} (${seconds(began)})`)
  return result
}

const showDirectory = (api: Api) =>
  answer<DirectoryDetail>(api.GET('/api/v1/directories/{directory}', { params: { path: { directory: directoryName } } }))

const createDirectory = (api: Api) =>
  answer<NewDirectory>(api.POST('/api/v1/directories', { body: { name: directoryName, provider: 'okta', quietSeconds } }))

// Two tokens may live at once: the one that an interrupted push used is of no use to anybody.
async function anotherToken(api: Api): Promise<string> {
  const path = { directory: directoryName }
  const { items } = await answer<Listed<{ id: string; revokedAt: string | null }>>(
    api.GET('/api/v1/directories/{directory}/tokens', { params: { path } }),
  )
  for (const { id } of items.filter(({ revokedAt }) => revokedAt === null)) {
    await answer(api.DELETE('/api/v1/directories/{directory}/tokens/{token}', { params: { path: { ...path, token: id } } }))
  }
  return (await answer<{ token: string }>(api.POST('/api/v1/directories/{directory}/tokens', { params: { path }, body: {} })))
    .token
}

/** The review, once no group is being filled any more: then everything that is told to type next can be done. */
async function settledReview(api: Api, out: Output): Promise<DemoReview> {
  let all = await preset(api, 'all')
  const isFilling = () => all.effect.warnings.some(({ code }) => code === 'filling')
  if (isFilling()) out.say(`Groups count as being filled for ${quietSeconds} s after their last member.`)
  for (
    const until = performance.now() + (quietSeconds + 2) * 1_000;
    isFilling() && performance.now() < until;
    all = await preset(api, 'all')
  )
    await sleep(250)
  const [safe, noEffect, noChange, directory, organization, top] = await Promise.all([
    preset(api, 'takes_nothing'),
    preset(api, 'no_access_effect'),
    preset(api, 'no_member_change'),
    showDirectory(api),
    organizationName(api),
    topGroups(api, directoryName),
  ])
  const { groups, users } = directory
  return {
    organization,
    directory: directoryName,
    conflicts: groups.needsReview + groups.blocked,
    groups,
    users,
    effect: all.effect,
    top,
    sets: { takesNothing: setOf(safe), noAccessEffect: setOf(noEffect), noMemberChange: setOf(noChange) },
  }
}

const preset = (api: Api, name: 'all' | 'takes_nothing' | 'no_access_effect' | 'no_member_change') =>
  answer<Selected>(
    api.POST('/api/v1/directories/{directory}/reviews/selections', {
      params: { path: { directory: directoryName } },
      body: { preset: name },
    }),
  )

const setOf = ({ groups, effect }: Selected) => ({ groups, access: effect.access })

const seconds = (began: number) => `${((performance.now() - began) / 1_000).toFixed(1)} s`
