import { Link } from '@tanstack/react-router'
import styles from './TabLinks.module.css'
import { number } from './words.ts'

export interface TabLink {
  to: string
  label: string
  count?: number | undefined
  /** Only where the address is this very one. */
  exact?: boolean
}

/** Tabs that are pages, each with an address of its own. */
export const TabLinks = ({ label, tabs }: { label: string; tabs: TabLink[] }) => (
  <nav aria-label={label} className={styles.tabs}>
    {tabs.map(({ to, label: word, count, exact }) => (
      <Link
        key={to}
        to={to}
        className={styles.tab}
        activeOptions={{ exact: exact ?? false, includeSearch: false }}
        activeProps={{ 'data-here': true, 'aria-current': 'page' }}
      >
        {word}
        {count !== undefined && <span className={styles.count}>{number(count)}</span>}
      </Link>
    ))}
  </nav>
)
