import { Button } from '@mantine/core'
import { IconCopy, IconRefresh, IconServerOff } from '@tabler/icons-react'
import { type ReactNode, useEffect, useState } from 'react'
import { ApiError } from '../data/api.ts'
import styles from './states.module.css'

/** Nothing yet, nothing matches, or all done: what it is, how to go on, one button. */
export const Empty = ({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode
  title: string
  children?: ReactNode
  action?: ReactNode
}) => (
  <div className={styles.empty}>
    {icon}
    <p className={styles.title}>{title}</p>
    {children && <div className={styles.text}>{children}</div>}
    {action}
  </div>
)

/** An error in place of the part that failed; the rest of the page lives. */
export function Failed({ error, what, retry }: { error: unknown; what: string; retry?: () => void }) {
  const isAnswer = error instanceof ApiError
  const wait = useCountdown(isAnswer && error.status === 429 ? (error.retryAfter ?? 0) : 0)
  const title =
    isAnswer && error.status === 403
      ? 'You may not see this'
      : isAnswer && error.status === 404
        ? 'There is no such thing here'
        : what
  return (
    <div className={styles.empty} role="alert">
      <IconServerOff size={32} stroke={1.5} aria-hidden />
      <p className={styles.title}>{title}</p>
      <p className={styles.text}>{detailOf(error)}</p>
      {retry && (
        <Button variant="filled" leftSection={<IconRefresh size={16} />} disabled={wait > 0} onClick={retry}>
          {wait > 0 ? `Retry in ${wait} s` : 'Retry'}
        </Button>
      )}
      {isAnswer && error.requestId && <RequestId id={error.requestId} />}
    </div>
  )
}

/** An error beside the button that met it. */
export const FailedLine = ({ error }: { error: unknown }) =>
  error ? (
    <p role="alert" className={styles.line}>
      {detailOf(error)}
    </p>
  ) : null

const RequestId = ({ id }: { id: string }) => (
  <p className={styles.request}>
    Request <span className="mono">{id}</span>{' '}
    <button type="button" className="link" onClick={() => navigator.clipboard.writeText(id)}>
      <IconCopy size={13} aria-hidden /> Copy
    </button>
  </p>
)

/** What went wrong and what to do, in the server's words where it has any. */
export function detailOf(error: unknown): string {
  if (error instanceof ApiError) return error.problem.detail
  // What browsers say of a passkey that was not used: dismissed, none there, or there already.
  if (error instanceof DOMException && error.name === 'InvalidStateError') return 'This device has a passkey here already.'
  if (error instanceof DOMException && error.name === 'NotAllowedError')
    return 'The browser gave no passkey. Try again, or sign in another way.'
  if (!navigator.onLine) return 'You are offline. This page goes on by itself once you are back.'
  return 'The server cannot be reached just now. Nothing was changed.'
}

function useCountdown(seconds: number): number {
  const [left, setLeft] = useState(seconds)
  useEffect(() => {
    setLeft(seconds)
    if (seconds <= 0) return
    const timer = setInterval(() => setLeft((now) => Math.max(0, now - 1)), 1_000)
    return () => clearInterval(timer)
  }, [seconds])
  return left
}

/** Where a part will stand. */
export const Waiting = ({ lines = 4 }: { lines?: number }) => (
  <div className={styles.waiting} role="status" aria-label="Loading">
    {Array.from({ length: lines }, (_, line) => (
      <span key={line} style={{ width: `${90 - ((line * 17) % 40)}%` }} />
    ))}
  </div>
)
