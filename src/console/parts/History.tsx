import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { HistoryOf } from '../data/history.ts'
import { Time } from './figures.tsx'
import styles from './History.module.css'
import { Empty, Failed, Waiting } from './states.tsx'

/** What was done, by whom, in plain words; the newest first. */
export function History({ org, of }: { org: string; of: HistoryOf }) {
  const asked = useInfiniteQuery(of)
  if (asked.isError)
    return <Failed error={asked.error} what="The history could not be loaded" retry={() => void asked.refetch()} />
  if (asked.isPending) return <Waiting />
  const items = asked.data.pages.flatMap((page) => page.items)
  if (items.length === 0) return <Empty title="Nothing happened yet." />
  return (
    <>
      <ol className={styles.history}>
        {items.map(({ id, at, actor, text, run }) => (
          <li key={id}>
            <span className="small grey">
              <Time at={at} />
            </span>
            <span>
              {text}
              <span className="small grey">
                {' '}
                <bdi>{actor}</bdi>
                {run && (
                  <>
                    {' · '}
                    <Link to="/o/$org/runs/$run" params={{ org, run: run.id }}>
                      run
                    </Link>
                  </>
                )}
              </span>
            </span>
          </li>
        ))}
      </ol>
      {asked.hasNextPage && (
        <Button m={16} loading={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          Show more
        </Button>
      )}
    </>
  )
}
