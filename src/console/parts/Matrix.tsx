import type { Effect } from '../data/reviews.ts'
import styles from './Matrix.module.css'
import { minus, plus } from './words.ts'

type Cell = Effect['matrix'][number]
type Sum = Pick<Cell, 'lost' | 'gained' | 'peopleLosing'>

const most = 5
// The usual roles from much to little; others after them by name. Roles have no order: it is a place to look, no more.
const usual = ['admin', 'maintain', 'write', 'triage', 'read']

/** Sites and roles, what is lost above what is gained. A press filters. */
export function Matrix({ cells, onPick }: { cells: Cell[]; onPick?: (of: { site?: string; role?: string }) => void }) {
  const roles = [...new Set(cells.map(({ role }) => role))].sort((a, b) => placeOf(a) - placeOf(b) || a.localeCompare(b))
  const all = [...new Set(cells.map(({ site }) => site))]
    .map((site) => ({ site, sites: [site], ...sumOf(cells.filter((cell) => cell.site === site)) }))
    .sort((a, b) => b.lost - a.lost || b.gained - a.gained)
  const taking = all.filter(({ lost }, at) => at < most && (lost > 0 || all.length <= most))
  const rest = all.slice(taking.length)
  const rows = rest.length > 1 ? [...taking, { site: `${rest.length} others`, sites: rest.map(({ site }) => site) }] : all
  const worst = Math.max(1, ...cells.map(({ peopleLosing }) => peopleLosing))

  const cell = (sites: string[], role: string) => {
    const sum = sumOf(cells.filter((of) => sites.includes(of.site) && of.role === role))
    if (sum.lost === 0 && sum.gained === 0)
      return (
        <td key={role} className={styles.none}>
          ·
        </td>
      )
    const ground = sum.lost === 0 ? 0 : 5 + (25 * sum.peopleLosing) / worst
    return (
      <td
        key={role}
        className={styles.cell}
        style={{ background: `color-mix(in srgb, var(--lost-shape) ${ground}%, var(--surface))` }}
      >
        {onPick && sites.length === 1 ? (
          <button
            type="button"
            onClick={() => onPick({ site: sites[0] ?? '', role })}
            aria-label={`${sites[0]} ${role}: ${minus(sum.lost)} ${plus(sum.gained)}. Filter`}
          >
            <Figures {...sum} />
          </button>
        ) : (
          <Figures {...sum} />
        )}
      </td>
    )
  }
  return (
    <div className={styles.scroll}>
      <table className={styles.matrix}>
        <caption className="unseen">Accesses lost and gained by site and role</caption>
        <thead>
          <tr>
            <th scope="col">
              <span className="unseen">Site</span>
            </th>
            {roles.map((role) => (
              <th key={role} scope="col">
                {role}
              </th>
            ))}
            <th scope="col">all</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ site, sites }) => (
            <tr key={site}>
              <th scope="row" title={sites.join(', ')}>
                {site}
              </th>
              {roles.map((role) => cell(sites, role))}
              <td className={styles.sum}>
                <Figures {...sumOf(cells.filter((of) => sites.includes(of.site)))} />
              </td>
            </tr>
          ))}
        </tbody>
        {rows.length > 1 && (
          <tfoot>
            <tr>
              <th scope="row">all sites</th>
              {roles.map((role) => (
                <td key={role} className={styles.sum}>
                  <Figures {...sumOf(cells.filter((of) => of.role === role))} />
                </td>
              ))}
              <td className={styles.sum}>
                <Figures {...sumOf(cells)} />
              </td>
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  )
}

const Figures = ({ lost, gained }: Sum) => (
  <>
    {lost > 0 && <span className="lost number">{minus(lost)}</span>}
    {gained > 0 && <span className="gained number">{plus(gained)}</span>}
  </>
)

const placeOf = (role: string): number => (usual.includes(role) ? usual.indexOf(role) : usual.length)

const sumOf = (cells: Cell[]): Sum =>
  cells.reduce(
    (sum, { lost, gained, peopleLosing }) => ({
      lost: sum.lost + lost,
      gained: sum.gained + gained,
      peopleLosing: sum.peopleLosing + peopleLosing,
    }),
    { lost: 0, gained: 0, peopleLosing: 0 },
  )
