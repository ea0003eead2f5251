import { setTimeout as sleep } from 'node:timers/promises'
import type { Reach } from '../../outgoing/address.ts'
import { type Outgoing, OutgoingError, OutgoingForbidden, outgoing } from '../../outgoing/request.ts'
import { eachAtOnce } from '../each-at-once.ts'
import { type Source, SourceError, type SourceGroup, type SourceUser } from '../source.ts'
import { strangersNote } from './nesting.ts'
import type { SettingsOf } from './settings.ts'

interface OktaUser {
  id?: unknown
  status?: unknown
  profile?: { login?: unknown; email?: unknown; firstName?: unknown; lastName?: unknown; displayName?: unknown }
}
interface OktaGroup {
  id?: unknown
  profile?: { name?: unknown; description?: unknown }
  _embedded?: { stats?: { usersCount?: unknown } }
}

const maxTries = 6
// Statuses of people who can sign in, or could after an act of their own (developer.okta.com, User lifecycle).
const activeStatuses = new Set(['ACTIVE', 'PROVISIONED', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT'])

/**
 * Reads people and groups over Okta's API: `/api/v1/users`, `/api/v1/groups` with their counts, `/api/v1/groups/{id}/users`; pages by
 * `Link: rel="next"`, 429 with `X-Rate-Limit-Reset` (developer.okta.com).
 * @throws SourceError
 */
export async function readOkta(settings: SettingsOf<'okta'>, secret: string | undefined, reach: Reach): Promise<Source> {
  const { url, userName: login = 'login', ca } = settings
  const base = new URL(url).origin
  const way = outgoing({ reach, ...(ca === undefined ? {} : { ca }) })
  const read = <Item extends { id?: unknown }>(path: string) => readPages<Item>(way, base, path, secret ?? '')
  try {
    const users = (await read<OktaUser>('/api/v1/users?limit=200')).map((user) => readUser(user, login))
    const groups = await read<OktaGroup>('/api/v1/groups?expand=stats&limit=200')
    const people = new Set(users.map(({ id }) => id))
    const strangers = new Set<string>()
    const found = new Map<string, SourceGroup>()
    // Okta's limits are a client's: more at once would only wait longer.
    await eachAtOnce(groups, 4, async (group) => {
      const id = text(group.id)
      const all = (await read<OktaUser>(`/api/v1/groups/${encodeURIComponent(id)}/users?limit=1000`)).map((user) => text(user.id))
      const stated = Number(group._embedded?.stats?.usersCount ?? 0)
      if (all.length < stated)
        throw new SourceError(
          [`Okta counts ${stated} people in ${text(group.profile?.name)} and shows ${all.length}`],
          'Read it again.',
        )
      for (const member of all) if (!people.has(member)) strangers.add(member)
      const { name, description } = group.profile ?? {}
      const members = all.filter((member) => people.has(member))
      found.set(id, { id, name: text(name), description: typeof description === 'string' ? description : null, members })
    })
    const notes = strangersNote(strangers, 'not among the people that Okta lists')
    const inOrder = groups.flatMap((group) => found.get(text(group.id)) ?? [])
    return { users, groups: inOrder, ...(notes.length > 0 ? { notes } : {}) }
  } finally {
    way.close()
  }
}

function readUser({ id, status, profile = {} }: OktaUser, login: 'login' | 'email'): SourceUser {
  const names = [profile.firstName, profile.lastName].filter((name) => typeof name === 'string' && name !== '').join(' ')
  return {
    id: text(id),
    userName: text(profile[login]),
    email: typeof profile.email === 'string' ? profile.email : null,
    displayName: typeof profile.displayName === 'string' && profile.displayName !== '' ? profile.displayName : names || null,
    active: activeStatuses.has(String(status)),
  }
}

async function readPages<Item extends { id?: unknown }>(
  way: Outgoing,
  base: string,
  path: string,
  token: string,
): Promise<Item[]> {
  const items = new Map<string, Item>()
  const pages = new Set<string>()
  for (let next: string | undefined = base + path; next !== undefined; ) {
    if (pages.has(next)) throw new SourceError([`Okta shows ${path} in a circle`], 'Read it again.')
    pages.add(next)
    const { text: body, headers } = await get(way, next, token)
    let page: unknown
    try {
      page = JSON.parse(body)
    } catch {
      throw new SourceError([`${base} answered something that is not JSON`], 'Is it the address of an Okta organization?')
    }
    if (!Array.isArray(page))
      throw new SourceError([`${base} answered no list under ${path}`], 'Is it the address of an Okta organization?')
    next = nextOf(headers.link, base)
    if (page.length === 0 && next !== undefined)
      throw new SourceError([`Okta shows an empty page of ${path}, and more after it`], 'Read it again.')
    for (const item of page as Item[]) {
      const id = text(item?.id)
      if (items.has(id))
        throw new SourceError([`Okta shows ${id} twice under ${path}`], 'Read it again when nobody else changes it.')
      items.set(id, item)
    }
  }
  return [...items.values()]
}

/** The address behind `rel="next"` (RFC 8288). The token goes nowhere else. */
function nextOf(link: string | string[] | undefined, base: string): string | undefined {
  for (const one of [link ?? []].flat().flatMap((header) => header.split(/,\s*(?=<)/))) {
    const [, to, rel] = /^<([^>]*)>\s*;.*\brel="?([^";]+)"?/.exec(one) ?? []
    if (rel !== 'next' || to === undefined) continue
    if (URL.parse(to)?.origin !== base) throw new SourceError([`The next page is said to be at ${to}, not at ${base}`])
    return to
  }
  return undefined
}

async function get(way: Outgoing, url: string, token: string) {
  for (let tries = 1; ; tries++) {
    const pauseMs = 500 * 2 ** (tries - 1)
    try {
      const answer = await way.send({
        method: 'GET',
        url,
        headers: { accept: 'application/json', authorization: `SSWS ${token}` },
      })
      if (answer.status === 200) return answer
      const isTransient = answer.status === 429 || answer.status >= 500
      if (!isTransient || tries === maxTries) throw new SourceError([`Okta answered ${answer.status}: ${summaryOf(answer.text)}`])
      const resetMs = Number(answer.headers['x-rate-limit-reset']) * 1_000 - Date.now()
      await sleep(answer.status === 429 && Number.isFinite(resetMs) ? Math.min(Math.max(resetMs, 0), 60_000) : pauseMs)
    } catch (error) {
      if (!(error instanceof OutgoingError)) throw error
      if (tries === maxTries || error instanceof OutgoingForbidden)
        throw new SourceError([`${new URL(url).origin} did not answer: ${error.message}`])
      await sleep(pauseMs)
    }
  }
}

function summaryOf(body: string): string {
  try {
    const { errorSummary } = JSON.parse(body) as { errorSummary?: unknown }
    if (typeof errorSummary === 'string') return errorSummary.slice(0, 2_048)
  } catch {}
  return body.slice(0, 2_048)
}

function text(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new SourceError(['Okta answered something without an id or a name'], 'Is it the address of an Okta organization?')
}
