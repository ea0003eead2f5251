import { Button } from '@mantine/core'
import { IconAlertTriangle, IconCircle, IconCircleCheck, IconLoader2 } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { directoryOf } from '../../../data/directories.ts'
import { requests } from '../../../data/requests.ts'
import { CopyField } from '../../../parts/CopyField.tsx'
import { Time } from '../../../parts/figures.tsx'
import { counted } from '../../../parts/words.ts'
import { fieldsOf, providerNames } from '../providers.ts'
import styles from './Connect.module.css'

const everyMs = 2_000

/** What arrives from the provider, as it comes: its first request, user and group, and what went wrong, with its cure. */
export function FirstRequest({ org, dir, scimUrl }: { org: string; dir: string; scimUrl?: string }) {
  const { data } = useQuery({ ...directoryOf(dir), refetchInterval: everyMs })
  const found = useInfiniteQuery(requests(dir, {}, everyMs))
  const navigate = useNavigate()
  const heard = found.data?.pages[0]?.items ?? []
  const last = heard[0]
  const failed = heard.find(({ status }) => status >= 400)
  const provider = data ? providerNames[data.provider] : dir
  const test = data ? fieldsOf(data.provider).test : 'the test'
  const { users, groups } = data ?? {}
  return (
    <div className={`narrow ${styles.columns}`}>
      <section className="card" aria-live="polite">
        <ul className={styles.events}>
          <Event
            state={last ? 'done' : 'waiting'}
            title={last ? `${provider} reached Muster` : 'Waiting for the first request…'}
            text={
              last ? (
                <>
                  {last.method} {last.path} answered with {last.status}, <Time at={last.at} />
                </>
              ) : (
                <>
                  In {provider}, press <b>{test}</b>. What arrives shows here at once.
                </>
              )
            }
          />
          {failed && failed === last && (
            <li className={styles.failed}>
              <IconAlertTriangle size={18} stroke={1.75} aria-hidden />
              <div>
                <p className="strong">The last request was refused</p>
                <p>{failed.outcome}</p>
                <Link to="/o/$org/directories/$dir/requests" params={{ org, dir }} search={{ request: failed.id }}>
                  See the request
                </Link>
              </div>
            </li>
          )}
          <Event
            state={users && users.received > 0 ? 'done' : 'later'}
            title="First user"
            text={users && users.received > 0 ? counted(users.received, 'user') : 'Assign a person to the app'}
          />
          <Event
            state={groups && groups.received > 0 ? 'done' : 'later'}
            title="First group"
            text={
              groups && groups.received > 0
                ? `${counted(groups.received, 'group')}, ${counted(groups.needsReview, 'needs', 'need')} review`
                : 'Push Groups, then Find groups by name'
            }
          />
        </ul>
        <footer className="deeds">
          <code className="mono grey">muster directories show {dir}</code>
          <Button onClick={() => void navigate({ to: '/o/$org/directories/$dir', params: { org, dir } })}>
            {groups && groups.received > 0 ? 'Open the directory' : 'Finish later'}
          </Button>
          {groups && groups.needsReview > 0 && (
            <Button
              variant="filled"
              onClick={() => void navigate({ to: '/o/$org/directories/$dir/review', params: { org, dir } })}
            >
              Review groups
            </Button>
          )}
        </footer>
      </section>
      <div className={styles.things}>
        <section className="card">
          <header>
            <h2>What you copied</h2>
          </header>
          <div className="body">
            <CopyField label={data ? fieldsOf(data.provider).url : 'SCIM base URL'} value={data?.scimUrl ?? scimUrl ?? ''} />
            <p className="small grey">The token was shown once. Lost? Make another in the directory’s settings.</p>
          </div>
        </section>
        {!last && (
          <section className="card">
            <header>
              <h2>If nothing arrives</h2>
            </header>
            <ul className={`body ${styles.steps}`}>
              <li>
                <b>Address not reachable.</b> {provider} calls from outside your network.
              </li>
              <li>
                <b>TLS.</b> The certificate must be one that {provider} trusts.
              </li>
              <li>
                <b>Nobody assigned.</b> The app must have at least one person.
              </li>
              <li>
                <b>Wrong token.</b> A request without a valid token belongs to no directory and does not show here. Paste the
                token again, without blanks.
              </li>
            </ul>
          </section>
        )}
      </div>
    </div>
  )
}

const Event = ({ state, title, text }: { state: 'done' | 'waiting' | 'later'; title: string; text: React.ReactNode }) => (
  <li>
    {state === 'done' ? (
      <IconCircleCheck size={18} stroke={1.75} className="gained" aria-label="done" />
    ) : state === 'waiting' ? (
      <IconLoader2 size={18} stroke={1.75} className={styles.turning} aria-label="waiting" />
    ) : (
      <IconCircle size={18} stroke={1.75} className="grey" aria-label="not yet" />
    )}
    <div>
      <p className="strong">{title}</p>
      <p className="second">{text}</p>
    </div>
  </li>
)
