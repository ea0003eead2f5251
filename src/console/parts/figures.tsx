import { Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import styles from './figures.module.css'
import { initials, minus, number, plus } from './words.ts'

/** «−33»: grey where it is nothing. */
export const Lost = ({ count }: { count: number }) => (
  <span className={`number ${count > 0 ? 'lost' : 'grey'}`}>{minus(count)}</span>
)

/** «+44» */
export const Gained = ({ count }: { count: number }) => (
  <span className={`number ${count > 0 ? 'gained' : 'grey'}`}>{plus(count)}</span>
)

export const Count = ({ of }: { of: number }) => <span className="number">{number(of)}</span>

/** A group's name: what is before the last `/` is grey and goes first, then the middle. Two names must not become equal. */
export function GroupName({ name, long = false }: { name: string; long?: boolean }) {
  const at = name.lastIndexOf('/') + 1
  const [before, own] = [name.slice(0, at), name.slice(at)]
  // Read out as one word: the drawn parts are boxes of their own, which a screen reader would pause between.
  const shown = (
    <bdi title={name} className={styles.group}>
      <span className="unseen">{name}</span>
      <span aria-hidden className={styles.name}>
        {before && (
          <span className={styles.before}>
            <bdi dir="ltr">{before}</bdi>
          </span>
        )}
        <span className={styles.own}>
          {own.length > 14 ? (
            <>
              <span className={styles.head}>{own.slice(0, -9)}</span>
              <span className={styles.tail}>{own.slice(-9)}</span>
            </>
          ) : (
            own
          )}
        </span>
      </span>
    </bdi>
  )
  return long ? (
    <bdi className={styles.long}>
      <span className={styles.before}>{before}</span>
      {own}
    </bdi>
  ) : (
    shown
  )
}

/** «kubernetes · enhancements · write» */
export const AccessName = ({
  site,
  product,
  role,
  tone,
}: {
  site?: string
  product: string
  role: string
  tone?: 'lost' | 'gained'
}) => (
  <span className={tone}>
    {site !== undefined && `${site} · `}
    {product} · <span className={styles.role}>{role}</span>
  </span>
)

/** Removed, stays, added of a group, to one scale. */
export function OverlapBar({
  removed,
  unchanged,
  added,
  most,
}: {
  removed: number
  unchanged: number
  added: number
  most: number
}) {
  const all = removed + unchanged + added
  // By the root: groups of 3 and of 300 stand in one list.
  const width = most === 0 ? 0 : Math.sqrt(all / most) * 100
  const part = (count: number) => ({ flexGrow: count, minWidth: count > 0 ? 3 : 0, display: count > 0 ? undefined : 'none' })
  return (
    <span role="img" aria-label={`${removed} removed, ${unchanged} stay, ${added} added`} className={styles.bar}>
      <span className={styles.parts} style={{ width: `${Math.max(width, 8)}%` }}>
        <span className={styles.removed} style={part(removed)} />
        <span className={styles.stays} style={part(unchanged)} />
        <span className={styles.added} style={part(added)} />
      </span>
    </span>
  )
}

/** Parts of a whole beside each other, each with its colour. */
export function StackedBar({ label, parts }: { label: string; parts: { count: number; color: string }[] }) {
  return (
    <span role="img" aria-label={label} className={styles.stacked}>
      {parts
        .filter(({ count }) => count > 0)
        .map(({ count, color }) => (
          <span key={color} style={{ flexGrow: count, background: color }} />
        ))}
    </span>
  )
}

export const Avatar = ({ name, size = 24 }: { name: string; size?: number }) => (
  <span className={styles.avatar} aria-hidden style={{ width: size, height: size, fontSize: size < 30 ? 10 : 14 }}>
    {initials(name)}
  </span>
)

/** A moment as people say it, with the exact one on hover and focus. */
export function Time({ at, prefix = '' }: { at: string | null | undefined; prefix?: string }) {
  if (!at) return <span className="grey">never</span>
  return (
    <Tooltip label={new Date(at).toISOString().replace('T', ' ').replace('Z', ' UTC')}>
      <time dateTime={at}>
        {prefix}
        {ago(at)}
      </time>
    </Tooltip>
  )
}

const steps: [seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [86_400 * 365, 'year'],
  [86_400 * 30, 'month'],
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' })

export function ago(at: string, now = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1_000
  const [size, unit] = steps.find(([step]) => Math.abs(seconds) >= step) ?? [1, 'second']
  return Math.abs(seconds) < 5 ? 'just now' : relative.format(Math.trunc(seconds / size), unit)
}

/** A sentence of effect: «135 people lose 355 accesses and 179 people gain 397.» */
export function EffectSentence({
  lost,
  peopleLosing,
  gained,
  peopleGaining,
}: Record<'lost' | 'peopleLosing' | 'gained' | 'peopleGaining', number>) {
  const people = (count: number, verb: string) => `${number(count)} ${count === 1 ? `person ${verb}s` : `people ${verb}`}`
  if (lost === 0 && gained === 0) return <>Nobody loses or gains access.</>
  const gains: ReactNode = <span className="gained">{`${people(peopleGaining, 'gain')} ${number(gained)}`}</span>
  if (lost === 0) return <>Nobody loses access and {gains}.</>
  return (
    <>
      <span
        className={`lost ${styles.whole}`}
      >{`${people(peopleLosing, 'lose')} ${number(lost)} ${lost === 1 ? 'access' : 'accesses'}`}</span>
      {gained > 0 && (
        <>
          {' '}
          <span className={styles.whole}>and {gains}</span>
        </>
      )}
      .
    </>
  )
}
