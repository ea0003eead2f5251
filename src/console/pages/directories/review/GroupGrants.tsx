import { useQuery } from '@tanstack/react-query'
import { reviewGrants } from '../../../data/reviews.ts'
import { AccessName, Count, Gained, Lost } from '../../../parts/figures.tsx'
import { Chip } from '../../../parts/StateChip.tsx'
import { Empty, Failed, Waiting } from '../../../parts/states.tsx'
import styles from './GroupGrants.module.css'

/** What the review does to each access that the group gives. */
export function GroupGrants({ dir, group }: { dir: string; group: string }) {
  const grants = useQuery(reviewGrants(dir, group))
  if (grants.isError)
    return <Failed error={grants.error} what="The access could not be loaded" retry={() => void grants.refetch()} />
  if (!grants.data) return <Waiting />
  if (grants.data.items.length === 0) return <Empty title="The group gives no access." />
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Access</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col">Lose it</th>
            <th scope="col">Gain it</th>
            <th scope="col">
              <span className="unseen">Worth knowing</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {grants.data.items.map((grant) => (
            <tr key={grant.roleId}>
              <th scope="row">
                <AccessName {...grant} />
              </th>
              <td>
                <Count of={grant.before} />
              </td>
              <td className="strong">
                <Count of={grant.after} />
              </td>
              <td>
                <Lost count={grant.lost} />
              </td>
              <td>
                <Gained count={grant.gained} />
              </td>
              <td>
                {grant.isDefault && <Chip>Default</Chip>} {grant.losesLastAdmin && <Chip tone="lost">Loses its last admin</Chip>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
