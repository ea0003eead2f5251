import { IconChevronRight } from '@tabler/icons-react'
import { type ReactNode, useEffect } from 'react'
import styles from './PageHeader.module.css'

/** Where one is, the page's one `h1` with its chips, and what can be done. Sets the window's title, too. */
export function PageHeader({
  title,
  windowTitle,
  trail = [],
  beside,
  actions,
  children,
}: {
  title: ReactNode
  /** «Review · Okta · Acme» */
  windowTitle: string
  trail?: ReactNode[]
  beside?: ReactNode
  actions?: ReactNode
  children?: ReactNode
}) {
  useEffect(() => {
    document.title = `${windowTitle} – Muster`
  }, [windowTitle])
  return (
    <header className={styles.header}>
      {trail.length > 0 && (
        <nav aria-label="Where you are">
          <ol className={styles.trail}>
            {trail.map((step, at) => (
              <li key={at}>
                {at > 0 && <IconChevronRight size={12} aria-hidden />}
                {step}
              </li>
            ))}
          </ol>
        </nav>
      )}
      <div className={styles.line}>
        <h1>{title}</h1>
        <div className={styles.beside}>{beside}</div>
        <div className={styles.actions}>{actions}</div>
      </div>
      {children}
    </header>
  )
}
