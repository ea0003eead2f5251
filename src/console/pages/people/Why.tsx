import { CloseButton } from '@mantine/core'
import { IconCheck, IconMinus, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { whyOf } from '../../data/people.ts'
import { AccessName, Time } from '../../parts/figures.tsx'
import { Failed, Waiting } from '../../parts/states.tsx'
import { PathPicture } from './PathPicture.tsx'
import styles from './Why.module.css'

const stepWords = {
  push: 'Pushed',
  provisioned_user: 'Pushed user',
  account: 'Account',
  membership: 'Membership',
  state: 'State',
  grant: 'Grant',
  access: 'Access',
}

/** Why somebody has an access: the groups that give it, now and if all that waits were synced, and the chain that leads there. */
export function Why({
  person,
  access,
  onClose,
}: {
  person: string
  access: { site: string; product: string; role: string }
  onClose: () => void
}) {
  const { data, error, refetch } = useQuery(whyOf(person, access))
  return (
    <section className={`card ${styles.why}`} aria-label="Why">
      <header>
        <h2>Why?</h2>
        <AccessName {...access} />
        <CloseButton aria-label="Close" onClick={onClose} />
      </header>
      {error && !data ? (
        <Failed error={error} what="The reason could not be loaded" retry={() => void refetch()} />
      ) : data === undefined ? (
        <Waiting />
      ) : (
        <div className={`body ${styles.body}`}>
          <PathPicture access={access} now={data.through} after={data.ifSynced.through} />
          <ol className={styles.steps} aria-label="The chain from the provider to the access">
            {data.steps.map(({ what, holds, text, at }) => (
              <li key={what}>
                {holds === null ? (
                  <IconMinus size={16} className="grey" aria-label="does not apply" />
                ) : holds ? (
                  <IconCheck size={16} className="gained" aria-label="holds" />
                ) : (
                  <IconX size={16} className="lost" aria-label="does not hold" />
                )}
                <span className="strong">{stepWords[what]}</span>
                <span>
                  {text}{' '}
                  {at && (
                    <span className="grey">
                      <Time at={at} />
                    </span>
                  )}
                </span>
              </li>
            ))}
          </ol>
        </div>
      )}
    </section>
  )
}
