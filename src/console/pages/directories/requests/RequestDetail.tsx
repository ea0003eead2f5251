import { Drawer } from '@mantine/core'
import { IconCheck, IconMinus, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { requestOf } from '../../../data/requests.ts'
import { Time } from '../../../parts/figures.tsx'
import { Failed, Waiting } from '../../../parts/states.tsx'
import styles from './Requests.module.css'

const stepWords = { token: 'Token', parsed: 'Parsed', matched: 'Matched', decided: 'Decided', applied: 'Applied' }

/** One request in five steps, in plain words: up to the step that did not hold. */
export function RequestDetail({ dir, id, onClose }: { dir: string; id: string; onClose: () => void }) {
  const { data, error, refetch } = useQuery(requestOf(dir, id))
  return (
    <Drawer opened position="right" size={520} onClose={onClose} title="What became of this request">
      {error ? (
        <Failed error={error} what="The request could not be loaded" retry={() => void refetch()} />
      ) : data === undefined ? (
        <Waiting />
      ) : (
        <>
          <p className="mono">
            {data.method} {data.path}
          </p>
          <p className="second">
            <span className={data.status < 400 ? 'gained' : 'lost'}>{data.status}</span> · {Math.round(data.durationMs)} ms ·{' '}
            <Time at={data.at} />
            {data.userAgent && ` · ${data.userAgent}`}
            {data.token && ` · token …${data.token.hint}`}
          </p>
          <ol className={styles.steps}>
            {data.steps.map(({ what, holds, text }) => (
              <li key={what}>
                {holds === null ? (
                  <IconMinus size={16} className="grey" aria-label="not reached" />
                ) : holds ? (
                  <IconCheck size={16} className="gained" aria-label="holds" />
                ) : (
                  <IconX size={16} className="lost" aria-label="does not hold" />
                )}
                <span className="strong">{stepWords[what]}</span>
                <span>{text}</span>
              </li>
            ))}
          </ol>
          {data.asked && (
            <>
              <h3 className="strong">What it asked</h3>
              <p className="second">{data.asked}</p>
            </>
          )}
        </>
      )}
    </Drawer>
  )
}
