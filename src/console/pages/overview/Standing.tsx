import { IconAlertTriangle, IconCheck } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { DirectoryDetail } from '../../data/directories.ts'
import { StackedBar, Time } from '../../parts/figures.tsx'
import { StateChip } from '../../parts/StateChip.tsx'
import { counted, number } from '../../parts/words.ts'
import styles from './Overview.module.css'

/** How a directory stands: synced of what was received, and what is not. */
export function Standing({
  org,
  directory: { name, groups, users, lastPush, lastError, complete, observing },
}: {
  org: string
  directory: DirectoryDetail
}) {
  const open = groups.needsReview + groups.blocked
  const parts = [
    { label: 'Synced', count: groups.synced, color: 'var(--gained-shape)' },
    { label: 'Needs review', count: groups.needsReview, color: 'var(--warning-shape)' },
    { label: 'Blocked', count: groups.blocked, color: 'var(--unchanged-shape)' },
    { label: 'Held', count: groups.held, color: 'var(--lost-shape)' },
  ]
  return (
    <section className="card">
      <header>
        <h2>
          <Link to="/o/$org/directories/$dir" params={{ org, dir: name }} className={styles.name}>
            <bdi>{name}</bdi>
          </Link>
        </h2>
        <StateChip state={observing ? 'observing' : 'live'} />
        <span className="small grey">
          <Time at={lastPush} prefix="Last push " />
        </span>
      </header>
      <div className={`body ${styles.standing}`}>
        <p>
          <span className={styles.key}>{number(groups.synced)}</span>{' '}
          <span className="second">of {counted(groups.received, 'group')} synced</span>
        </p>
        <StackedBar label={parts.map(({ label, count }) => `${label} ${count}`).join(', ')} parts={parts} />
        <ul className={styles.legend}>
          {parts
            .filter(({ count, label }) => count > 0 || label === 'Synced')
            .map(({ label, count, color }) => (
              <li key={label}>
                <span style={{ background: color }} aria-hidden /> {label} <b className="strong number">{number(count)}</b>
              </li>
            ))}
        </ul>
        {open > 0 && (
          <p className={styles.banner}>
            <IconAlertTriangle size={18} aria-hidden />
            <span>
              <b className="strong">{number(open)} could not be synced</b>
              <br />
              <span className="small">
                {number(groups.needsReview)} need review, {number(groups.blocked)} blocked
              </span>
            </span>
            <Link to="/o/$org/directories/$dir/review" params={{ org, dir: name }}>
              Review groups
            </Link>
          </p>
        )}
        <dl className={styles.lines}>
          <dt>Users</dt>
          <dd>
            {number(users.synced)} of {number(users.received)} synced
          </dd>
          <dt>Last error</dt>
          <dd>{lastError ? <Time at={lastError.at} /> : 'none in 30 days'}</dd>
        </dl>
        <p className={styles.complete}>
          {complete ? (
            <>
              <IconCheck size={16} aria-hidden className="gained" /> <b className="strong">Complete.</b> All{' '}
              {number(groups.received)} that were pushed are in force.
            </>
          ) : (
            <>
              Received {number(groups.received)}, synced {number(groups.synced)}: not complete yet.
            </>
          )}
        </p>
      </div>
    </section>
  )
}
