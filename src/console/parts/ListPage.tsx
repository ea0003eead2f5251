import type { ReactNode } from 'react'
import styles from './ListPage.module.css'

/** A page that is one long list: what it is, what it is narrowed by, and the list, which fills the rest. */
export const ListPage = ({
  header,
  tools,
  children,
  hasTabs = false,
}: {
  header: ReactNode
  tools?: ReactNode
  children: ReactNode
  /** The header ends in tabs, which stand on its line. */
  hasTabs?: boolean
}) => (
  <div className={styles.page}>
    <div className={`${styles.header} ${hasTabs ? '' : styles.plain}`}>{header}</div>
    {tools && <div className={styles.tools}>{tools}</div>}
    {children}
  </div>
)

/** «779 groups», and what is done with all of them at the right end of the tools. */
export const Total = ({ children }: { children: ReactNode }) => <span className={styles.total}>{children}</span>
/** For what is not a `DataTable`: scrolls by itself. */
export const Scroll = ({ children }: { children: ReactNode }) => <div className={styles.scroll}>{children}</div>
