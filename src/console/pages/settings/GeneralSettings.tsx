import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { organization, useChangeOrganization } from '../../data/organization.ts'
import { Field, Fields } from '../../parts/Field.tsx'
import { Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { SettingsHeader } from './SettingsHeader.tsx'

/** The organization's own settings: its name, and when a second person has to look. */
export function GeneralSettings() {
  const { org } = useParams({ from: '/o/$org/settings' })
  const { data, error, refetch } = useQuery(organization())
  return (
    <div className="page">
      <SettingsHeader org={org} page="General" />
      {error && !data ? (
        <Failed error={error} what="The settings could not be loaded" retry={() => void refetch()} />
      ) : data === undefined ? (
        <Waiting />
      ) : (
        <>
          <section className="card narrow">
            <header>
              <h2>Organization</h2>
            </header>
            <dl className="body facts">
              <dt>Name</dt>
              <dd>{data.name}</dd>
              <dt>In addresses</dt>
              <dd className="mono">{data.slug}</dd>
            </dl>
          </section>
          <ApprovalForm key={JSON.stringify(data.approval)} approval={data.approval} />
        </>
      )}
    </div>
  )
}

function ApprovalForm({ approval }: { approval: { peopleLosing: number | null; expiresHours: number } }) {
  const [isAsked, setAsked] = useState(approval.peopleLosing !== null)
  const [over, setOver] = useState(approval.peopleLosing ?? 50)
  const [hours, setHours] = useState(approval.expiresHours)
  const change = useChangeOrganization()
  const save = (event: FormEvent) => {
    event.preventDefault()
    change.mutate({ approval: { peopleLosing: isAsked ? over : null, expiresHours: hours } })
  }
  return (
    <form className="card narrow" onSubmit={save}>
      <header>
        <h2>A second person for what takes access from many</h2>
      </header>
      <div className="body">
        <Fields>
          <Field label="Ask a second person">
            {(props) => (
              <select
                {...props}
                className="choose"
                value={isAsked ? 'yes' : 'no'}
                onChange={(event) => setAsked(event.currentTarget.value === 'yes')}
              >
                <option value="no">Never</option>
                <option value="yes">For runs that take access from many</option>
              </select>
            )}
          </Field>
          {isAsked && (
            <>
              <Field label="From more than" help="Nobody approves their own run.">
                {(props) => (
                  <span>
                    <input
                      {...props}
                      className="field"
                      type="number"
                      min={0}
                      style={{ width: 90 }}
                      value={over}
                      onChange={(event) => setOver(event.currentTarget.valueAsNumber)}
                    />{' '}
                    people
                  </span>
                )}
              </Field>
              <Field
                label="A request expires after"
                help="What was shown still decides at the end: if it is another by then, nothing is done."
              >
                {(props) => (
                  <span>
                    <input
                      {...props}
                      className="field"
                      type="number"
                      min={1}
                      style={{ width: 90 }}
                      value={hours}
                      onChange={(event) => setHours(event.currentTarget.valueAsNumber)}
                    />{' '}
                    hours
                  </span>
                )}
              </Field>
            </>
          )}
        </Fields>
      </div>
      <footer className="deeds">
        <FailedLine error={change.error} />
        {change.isSuccess && (
          <span role="status" className="gained">
            Saved.
          </span>
        )}
        <Button type="submit" variant="filled" loading={change.isPending}>
          Save
        </Button>
      </footer>
    </form>
  )
}
