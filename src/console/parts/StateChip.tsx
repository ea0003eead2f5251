import {
  type Icon,
  IconAlertTriangle,
  IconArrowBackUp,
  IconBan,
  IconCheck,
  IconCircle,
  IconCircleDashed,
  IconCircleHalf2,
  IconClock,
  IconPlayerPause,
  IconPlayerPlay,
  IconSquare,
  IconX,
} from '@tabler/icons-react'
import type { ReactNode } from 'react'
import styles from './StateChip.module.css'

type Tone = 'gained' | 'warning' | 'lost' | 'accent' | 'neutral'

// One table of words for all that has a state: an icon and a word, never colour alone.
const chips: Record<string, [Icon, word: string, Tone]> = {
  synced: [IconCheck, 'Synced', 'gained'],
  needs_review: [IconCircleHalf2, 'Needs review', 'warning'],
  blocked: [IconBan, 'Blocked', 'neutral'],
  held: [IconPlayerPause, 'Held', 'warning'],
  ignored: [IconCircleDashed, 'Ignored', 'neutral'],
  ready: [IconCheck, 'Ready', 'gained'],
  awaiting_approval: [IconClock, 'Waiting for approval', 'warning'],
  queued: [IconCircle, 'Queued', 'neutral'],
  running: [IconPlayerPlay, 'Running', 'accent'],
  finished: [IconCheck, 'Finished', 'gained'],
  finished_with_failures: [IconAlertTriangle, 'Finished with failures', 'warning'],
  stopped: [IconSquare, 'Stopped', 'neutral'],
  undone: [IconArrowBackUp, 'Undone', 'neutral'],
  rejected: [IconX, 'Rejected', 'lost'],
  withdrawn: [IconX, 'Withdrawn', 'neutral'],
  expired: [IconX, 'Expired', 'neutral'],
  skipped: [IconBan, 'Skipped', 'neutral'],
  failed: [IconX, 'Failed', 'lost'],
  waiting: [IconClock, 'Waiting', 'neutral'],
  active: [IconCheck, 'Active', 'gained'],
  inactive: [IconBan, 'Inactive', 'neutral'],
  live: [IconCheck, 'Live', 'gained'],
  observing: [IconCircleHalf2, 'Observing', 'warning'],
  paused: [IconPlayerPause, 'Paused', 'warning'],
}

/** A state as an icon and a word. */
export function StateChip({ state, word }: { state: string; word?: string }) {
  const [Shown, usual, tone] = chips[state] ?? [IconCircle, state.replaceAll('_', ' '), 'neutral' as const]
  return (
    <Chip tone={tone} icon={<Shown size={13} stroke={1.75} aria-hidden />}>
      {word ?? usual}
    </Chip>
  )
}

export const Chip = ({ tone = 'neutral', icon, children }: { tone?: Tone; icon?: ReactNode; children: ReactNode }) => (
  <span className={styles.chip} data-tone={tone}>
    {icon}
    {children}
  </span>
)

/** A run's state as people see it: what failed in it, and whether it was undone, is part of it. */
export const runState = (run: { state: string; undoneBy: string | null; groups: { failed: number } }): string =>
  run.undoneBy !== null ? 'undone' : run.state === 'finished' && run.groups.failed > 0 ? 'finished_with_failures' : run.state
