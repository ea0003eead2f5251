import { Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import styles from './Dialog.module.css'

interface Props {
  title: ReactNode
  onClose: () => void
  children: ReactNode
  /** At the left of the foot. */
  aside?: ReactNode
  /** Cancel, then the deed. */
  foot: ReactNode
  tone?: 'warning'
  /** Below the title, in a head of its own colour. */
  lead?: ReactNode
  size?: number
}

/** The title is the question, then figures, then lines; the deed stands at the right of the foot, Cancel left of it. */
export const Dialog = ({ title, onClose, children, aside, foot, tone, lead, size = 560 }: Props) => (
  <Modal.Root opened onClose={onClose} size={size} centered>
    <Modal.Overlay backgroundOpacity={0.35} />
    <Modal.Content radius={12}>
      <div className={styles.head} data-tone={tone}>
        <Modal.Title component="h2" className={styles.title}>
          {title}
        </Modal.Title>
        {lead && <p>{lead}</p>}
      </div>
      <div className={styles.body}>{children}</div>
      <div className={styles.foot}>
        <div>{aside}</div>
        <div className={styles.deeds}>{foot}</div>
      </div>
    </Modal.Content>
  </Modal.Root>
)

/** A line of a dialog: what is so, and its figure. */
export const Line = ({ icon, children, figure }: { icon: ReactNode; children: ReactNode; figure?: ReactNode }) => (
  <li className={styles.line}>
    {icon}
    <span>{children}</span>
    <span className={styles.figure}>{figure}</span>
  </li>
)

export const Lines = ({ children }: { children: ReactNode }) => <ul className={styles.lines}>{children}</ul>

/** Two tiles: what is lost, what is gained. */
export const Tiles = ({ lost, gained }: { lost: ReactNode; gained: ReactNode }) => (
  <div className={styles.tiles}>
    <div className={styles.lost}>{lost}</div>
    <div className={styles.gained}>{gained}</div>
  </div>
)
