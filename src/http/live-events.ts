import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../database/connection.ts'
import type { OrgId } from '../database/ids.ts'
import { reading } from '../database/transaction.ts'
import { areMoreThan, eventsBetween, type FinalIds, finalIds, type LogEvent } from '../organization/followers.ts'

/** Who is told what happens in an organization, in its order, each event once. */
export interface EventListener {
  /** From where on: this event is the last that is known. */
  begin(id: string): void
  take(events: LogEvent[]): void
  /** Too much happened since to be told: what is shown is to be read again. `begin` follows. */
  missed(): void
}

/** One reader of the log for all who listen at this node. */
export interface LiveEvents {
  /**
   * Tells a listener what happens from now on, or behind the entry `after`.
   * @returns how to stop
   */
  listen(orgId: OrgId, listener: EventListener, after?: string): () => void
}

interface Place extends EventListener {
  /** Undefined: not told where it begins, as that is not known yet. */
  at: string | undefined
  after: string | undefined
  /** The look that may have been under way when it came: it begins with what a later one finds final. */
  came: number
  isCatchingUp: boolean
}

interface Channel {
  orgId: OrgId
  places: Set<Place>
  /** Up to where those who have begun were told; undefined: nobody has. */
  at?: string
}

const lookEveryMs = 200
const soonMs = 20
const pageSize = 1_000
// A page that was away that long shows everything anew.
const toldAtMost = 10_000

/** Reads while somebody listens, and only then. */
export function liveEvents(db: Db, onError: (error: unknown) => void): LiveEvents {
  const channels = new Map<OrgId, Channel>()
  let final: FinalIds | undefined

  const close = () => {
    final = undefined
  }

  async function read(final: FinalIds): Promise<void> {
    while (channels.size > 0) {
      try {
        const isMore = await final.look()
        if (final.upTo !== undefined) for (const channel of channels.values()) await tell(channel, final.upTo, final.asOf)
        await sleep(isMore ? soonMs : lookEveryMs)
      } catch (error) {
        onError(error)
        await sleep(1_000)
      }
    }
    close()
  }

  async function tell(channel: Channel, upTo: string, asOf: number): Promise<void> {
    for (let at = channel.at ?? upTo; BigInt(at) < BigInt(upTo); channel.at = at) {
      const events = await between(channel.orgId, at, upTo)
      at = events.length === pageSize ? (events.at(-1) as LogEvent).id : upTo
      for (const place of channel.places) if (!place.isCatchingUp) pass(place, events, at)
    }
    channel.at = upTo
    for (const place of channel.places)
      if (place.at === undefined && !place.isCatchingUp && place.came < asOf) void begin(channel, place)
  }

  // Who was away is told by pages of its own until it has come to where all are.
  async function begin(channel: Channel, place: Place): Promise<void> {
    const now = () => channel.at as string
    place.isCatchingUp = true
    try {
      place.at = place.after ?? now()
      const isFar = await reading(db, systemOf(channel.orgId), (reader) =>
        areMoreThan(reader, toldAtMost, place.at as string, now()),
      )
      if (isFar) {
        place.missed()
        place.at = now()
      }
      place.begin(place.at)
      while (BigInt(place.at) < BigInt(now())) {
        const upTo = now()
        const events = await between(channel.orgId, place.at, upTo)
        pass(place, events, events.length === pageSize ? (events.at(-1) as LogEvent).id : upTo)
      }
    } catch (error) {
      onError(error)
      place.at = undefined
    } finally {
      place.isCatchingUp = false
    }
  }

  const between = (orgId: OrgId, after: string, upTo: string) =>
    reading(db, systemOf(orgId), (reader) => eventsBetween(reader, after, upTo, pageSize))

  return {
    listen(orgId, listener, after) {
      const isRead = final !== undefined
      final ??= finalIds(db)
      const channel = channels.get(orgId) ?? { orgId, places: new Set() }
      const place: Place = { ...listener, at: undefined, after, came: final.looks + 1, isCatchingUp: false }
      channels.set(orgId, channel)
      channel.places.add(place)
      if (!isRead) void read(final)
      return () => {
        channel.places.delete(place)
        if (channel.places.size === 0 && channels.get(orgId) === channel) channels.delete(orgId)
      }
    },
  }
}

function pass(place: Place, events: LogEvent[], upTo: string): void {
  if (place.at === undefined) return
  // Another node may have told more already.
  const at = BigInt(place.at)
  const news = events.filter(({ id }) => BigInt(id) > at)
  if (BigInt(upTo) > at) place.at = upTo
  place.after = place.at
  if (news.length > 0) place.take(news)
}

const systemOf = (orgId: OrgId) => ({ orgId, actor: 'system' })
