import { useEffect, useState } from 'react'
import { isOver, type Run } from '../../data/runs.ts'
import { EffectSentence, StackedBar } from '../../parts/figures.tsx'
import { Chip } from '../../parts/StateChip.tsx'
import { counted, minus, number, plus } from '../../parts/words.ts'
import styles from './RunProgress.module.css'

/** How many groups of how many, and what is so already. */
export function RunProgress({ run }: { run: Run }) {
  const { groups, foreseen, access } = run
  const done = groups.synced + groups.skipped + groups.failed
  const ended = isOver(run)
  return (
    <div className={styles.progress}>
      <p className={styles.line}>
        <span className={styles.figure}>{number(ended ? groups.synced : done)}</span> of {counted(groups.total, 'group')}
        {ended ? ' synced' : ''}
        {!ended && <span className={`${styles.left} small grey`}>{timeLeft(run, done)}</span>}
      </p>
      <StackedBar
        label={`${groups.synced} synced, ${groups.skipped} skipped, ${groups.failed} failed, ${groups.total - done} waiting`}
        parts={[
          { count: groups.synced, color: ended ? 'var(--gained-shape)' : 'var(--ink)' },
          { count: groups.skipped, color: 'var(--unchanged-shape)' },
          { count: groups.failed, color: 'var(--lost-shape)' },
          { count: groups.total - done, color: 'var(--track)' },
        ]}
      />
      {ended ? (
        <ul className={styles.rest}>
          {groups.skipped > 0 && (
            <li>
              <Chip>{number(groups.skipped)} skipped</Chip> They are as they were, and can be reviewed again.
            </li>
          )}
          {groups.failed > 0 && (
            <li>
              <Chip tone="lost">{number(groups.failed)} failed</Chip> Nothing of them was changed.
            </li>
          )}
          {groups.synced > 0 && run.undoneBy === null && (
            <li className="second">
              Undo would give {number(access.lost)} accesses back and take {number(access.gained)}. It shows its own review first.
            </li>
          )}
        </ul>
      ) : (
        <>
          <p className={styles.counts}>
            <span>
              <b className="strong number">{number(groups.synced)}</b> synced
            </span>
            <span>
              <b className={`strong number ${groups.failed > 0 ? 'lost' : ''}`}>{number(groups.failed)}</b> failed
            </span>
            <span>
              <b className="strong number">{number(groups.skipped)}</b> skipped
            </span>
            <span>
              <b className="strong number">{number(groups.total - done)}</b> waiting
            </span>
          </p>
          <p className={styles.foreseen}>
            Foreseen in all: {minus(foreseen.access.lost)} {plus(foreseen.access.gained)}. <EffectSentence {...foreseen.access} />
          </p>
        </>
      )}
      <Announced text={`${number(done)} of ${counted(groups.total, 'group')} done, ${number(groups.failed)} failed`} />
    </div>
  )
}

function timeLeft({ startedAt, groups: { total } }: Run, done: number): string {
  if (!startedAt || done < 5) return ''
  const tookMs = Date.now() - new Date(startedAt).getTime()
  return `about ${Math.max(1, Math.round(((total - done) * tookMs) / done / 1_000))} s left`
}

const sayEveryMs = 5_000

/** Said to who listens, at most every 5 s. */
function Announced({ text }: { text: string }) {
  const [said, setSaid] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), sayEveryMs)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <p className="unseen" role="status">
      {said}
    </p>
  )
}
