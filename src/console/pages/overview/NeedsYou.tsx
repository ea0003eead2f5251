import { IconBan, IconCheck, IconKey, IconPlayerPause, IconRubberStamp } from '@tabler/icons-react'
import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { type DirectoryDetail, directoryTokens } from '../../data/directories.ts'
import type { Run } from '../../data/runs.ts'
import { counted, number } from '../../parts/words.ts'
import styles from './Overview.module.css'

interface Line {
  key: string
  icon: ReactNode
  what: string
  why: ReactNode
  link: ReactNode
}

const soonDays = 14

/** What waits for a person, the greatest first, each with the way there. */
export function NeedsYou({
  org,
  directories,
  toApprove,
  children,
}: {
  org: string
  directories: DirectoryDetail[]
  toApprove: Pick<Run, 'id' | 'createdBy' | 'groups' | 'foreseen'>[]
  children: ReactNode
}) {
  const tokens = useQueries({ queries: directories.map(({ name }) => directoryTokens(name)) })
  const lines: Line[] = [
    ...directories.flatMap(({ name, groups }) =>
      groups.blocked > 0
        ? [
            {
              key: `blocked ${name}`,
              icon: <IconBan size={16} aria-hidden />,
              what: `${counted(groups.blocked, 'group is', 'groups are')} blocked`,
              why: `From ${name}. Each says what to do, then it becomes reviewable by itself.`,
              link: (
                <Link to="/o/$org/directories/$dir/review" params={{ org, dir: name }} search={{ state: 'blocked' }}>
                  See what to do
                </Link>
              ),
            },
          ]
        : [],
    ),
    ...directories.flatMap(({ name, groups }) =>
      groups.held > 0
        ? [
            {
              key: `held ${name}`,
              icon: <IconPlayerPause size={16} aria-hidden />,
              what: `${counted(groups.held, 'group is', 'groups are')} held`,
              why: `Access is being kept that ${name} took. Allow it, or reject it.`,
              link: (
                <Link to="/o/$org/directories/$dir/held" params={{ org, dir: name }}>
                  Look at it
                </Link>
              ),
            },
          ]
        : [],
    ),
    ...toApprove.map(({ id, createdBy, groups, foreseen }) => ({
      key: id,
      icon: <IconRubberStamp size={16} aria-hidden />,
      what: '1 run waits for approval',
      why: `${createdBy} asks to sync ${counted(groups.total, 'group')}. It takes access from ${counted(foreseen.access.peopleLosing, 'person', 'people')}.`,
      link: (
        <Link to="/o/$org/runs/$run" params={{ org, run: id }}>
          Look at it
        </Link>
      ),
    })),
    ...directories.flatMap(({ name }, at) =>
      (tokens[at]?.data?.items ?? [])
        .filter(({ revokedAt, expiresAt }) => revokedAt === null && daysUntil(expiresAt) < soonDays)
        .map(({ id, expiresAt }) => ({
          key: id,
          icon: <IconKey size={16} aria-hidden />,
          what: `1 token expires in ${counted(Math.max(0, daysUntil(expiresAt)), 'day')}`,
          why: `Of ${name}. Two may live at once, so nothing breaks while you rotate.`,
          link: (
            <Link to="/o/$org/directories/$dir/settings" params={{ org, dir: name }}>
              Rotate
            </Link>
          ),
        })),
    ),
  ]
  const count = lines.length + (children ? 1 : 0)
  return (
    <section className="card">
      <header>
        <h2>
          Needs you <span className={styles.count}>{number(count)}</span>
        </h2>
      </header>
      {children}
      {lines.map(({ key, icon, what, why, link }) => (
        <div key={key} className={styles.need}>
          {icon}
          <b className={styles.what}>{what}</b>
          <span className="second">{why}</span>
          <span className={styles.way}>{link}</span>
        </div>
      ))}
      {count === 0 && (
        <p className={styles.fine}>
          <IconCheck size={16} aria-hidden className="gained" /> Nothing waits for you. What is pushed is in force.
        </p>
      )}
    </section>
  )
}

const daysUntil = (at: string): number => Math.floor((new Date(at).getTime() - Date.now()) / 86_400_000)
