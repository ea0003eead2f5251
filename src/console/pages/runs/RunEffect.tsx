import { isOver, type Run } from '../../data/runs.ts'
import { Gained, Lost } from '../../parts/figures.tsx'
import { number } from '../../parts/words.ts'
import styles from './RunEffect.module.css'

/** What was foreseen, beside what truly happened. */
export function RunEffect({ run }: { run: Run }) {
  const { foreseen, access } = run
  const ended = isOver(run)
  const rows = [
    { what: 'Accesses lost', of: 'lost', Shown: Lost },
    { what: 'People who lose', of: 'peopleLosing', Shown: Figure },
    { what: 'Accesses gained', of: 'gained', Shown: Gained },
    { what: 'People who gain', of: 'peopleGaining', Shown: Figure },
    { what: 'Left with none', of: 'leftWithNone', Shown: Figure },
  ] as const
  return (
    <section className="card">
      <header>
        <h2>Effect</h2>
      </header>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">
              <span className="unseen">What</span>
            </th>
            <th scope="col">foreseen</th>
            <th scope="col">{ended ? 'happened' : 'so far'}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ what, of, Shown }) => (
            <tr key={of}>
              <th scope="row">{what}</th>
              <td className="second">
                <Shown count={foreseen.access[of]} />
              </td>
              <td className="strong">{ended ? <Shown count={access[of]} /> : <span className="grey">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const Figure = ({ count }: { count: number }) => <span className="number">{number(count)}</span>
