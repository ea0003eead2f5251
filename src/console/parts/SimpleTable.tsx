import type { ReactNode } from 'react'
import styles from './SimpleTable.module.css'

/** A short table within a card: all of its rows at once. The first cell names its row. */
export const SimpleTable = ({
  label,
  heads,
  rows,
  ends = [],
}: {
  label: string
  heads: ReactNode[]
  rows: { key: string; cells: ReactNode[] }[]
  /** Which columns stand at their right end. */
  ends?: number[]
}) => (
  <div className={styles.scroll}>
    <table className={styles.table} aria-label={label}>
      <thead>
        <tr>
          {heads.map((head, at) => (
            <th key={at} scope="col" data-end={ends.includes(at)}>
              {head || <span className="unseen">What can be done</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, cells }) => (
          <tr key={key}>
            {cells.map((cell, at) =>
              at === 0 ? (
                <th key={at} scope="row">
                  {cell}
                </th>
              ) : (
                <td key={at} data-end={ends.includes(at)}>
                  {cell}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)
