import { Button, Checkbox, Stepper } from '@mantine/core'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { type NewDirectory, useCreateDirectory } from '../../../data/directories.ts'
import { CopyField } from '../../../parts/CopyField.tsx'
import { Field, Fields } from '../../../parts/Field.tsx'
import { Time } from '../../../parts/figures.tsx'
import { PageHeader } from '../../../parts/PageHeader.tsx'
import { FailedLine } from '../../../parts/states.tsx'
import { fieldsOf, policySentences, policyWords, providerNames } from '../providers.ts'
import styles from './Connect.module.css'
import { FirstRequest } from './FirstRequest.tsx'

type Provider = NewDirectory['provider']
type Made = { name: string; provider: Provider; scimUrl: string; token: string; tokenExpiresAt: string }

/** Three steps: which provider, what is pasted there, and the wait for its first request. */
export function Connect() {
  const { org } = useParams({ from: '/o/$org/directories/new' })
  const { waiting } = useSearch({ from: '/o/$org/directories/new' })
  const navigate = useNavigate({ from: '/o/$org/directories/new' })
  const [draft, setDraft] = useState<NewDirectory>({ name: '', provider: 'okta', conflictPolicy: 'review' })
  const [made, setMade] = useState<Made>()
  const step = waiting ? 2 : made ? 1 : 0
  const name = made ? providerNames[made.provider] : 'a directory'
  return (
    <div className="page">
      <PageHeader
        title={`Connect ${name}`}
        windowTitle={`Connect · ${org}`}
        trail={[
          <Link key="all" to="/o/$org/directories" params={{ org }}>
            Directories
          </Link>,
          'New',
        ]}
      />
      <Stepper active={step} size="sm" className="narrow" color="dark" allowNextStepsSelect={false}>
        <Stepper.Step
          label="Which provider?"
          description={made ? `${name}, ${policyWords[draft.conflictPolicy ?? 'review'].toLowerCase()}` : 'Name and policy'}
        />
        <Stepper.Step
          label="Copy two things"
          description={made ? `${fieldsOf(made.provider).url} and ${fieldsOf(made.provider).token}` : 'Address and token'}
        />
        <Stepper.Step label="First request" description={step === 2 ? 'Waiting' : 'It shows here'} />
      </Stepper>
      {step === 0 && <Which draft={draft} onChange={setDraft} onMade={setMade} />}
      {step === 1 && made && <Copy made={made} onNext={() => void navigate({ search: { waiting: made.name }, replace: true })} />}
      {waiting && <FirstRequest org={org} dir={waiting} {...(made ? { scimUrl: made.scimUrl } : {})} />}
    </div>
  )
}

function Which({
  draft,
  onChange,
  onMade,
}: {
  draft: NewDirectory
  onChange: (draft: NewDirectory) => void
  onMade: (made: Made) => void
}) {
  const create = useCreateDirectory()
  const policy = draft.conflictPolicy ?? 'review'
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate({ ...draft, name: draft.name.trim() || draft.provider }, { onSuccess: onMade })
  }
  return (
    <form className="card narrow" onSubmit={submit}>
      <div className="body">
        <fieldset className={styles.providers}>
          <legend className="strong">Which provider pushes into it?</legend>
          {(Object.keys(providerNames) as Provider[]).map((provider) => (
            <label key={provider} data-chosen={draft.provider === provider}>
              <input
                type="radio"
                name="provider"
                checked={draft.provider === provider}
                onChange={() => onChange({ ...draft, provider })}
              />
              {providerNames[provider]}
            </label>
          ))}
        </fieldset>
        <Fields>
          <Field label="Name" help="What it is called here, and in the command line.">
            {(props) => (
              <input
                {...props}
                className="field"
                style={{ width: 260 }}
                value={draft.name}
                placeholder={draft.provider}
                onChange={(event) => onChange({ ...draft, name: event.currentTarget.value })}
              />
            )}
          </Field>
          <Field label="A group of that name exists" help={policySentences[policy]}>
            {(props) => (
              <select
                {...props}
                className="choose"
                value={policy}
                onChange={(event) => onChange({ ...draft, conflictPolicy: event.currentTarget.value as typeof policy })}
              >
                <option value="review">{policyWords.review} (recommended)</option>
                <option value="overwrite">{policyWords.overwrite}</option>
                <option value="refuse">{policyWords.refuse}</option>
              </select>
            )}
          </Field>
          <Field
            label="Guard"
            help="When a push takes more of a group than this within an hour, its removals wait for you. More in the settings."
          >
            {(props) => (
              <span>
                <input
                  {...props}
                  className="field"
                  type="number"
                  min={0}
                  max={100}
                  style={{ width: 80 }}
                  value={draft.guardMembersPercent ?? 25}
                  onChange={(event) => onChange({ ...draft, guardMembersPercent: event.currentTarget.valueAsNumber })}
                />{' '}
                % of a group’s members
              </span>
            )}
          </Field>
        </Fields>
      </div>
      <footer className="deeds">
        <FailedLine error={create.error} />
        <Button type="submit" variant="filled" loading={create.isPending}>
          Make the directory
        </Button>
      </footer>
    </form>
  )
}

const isLocal = (url: string) => /^https?:\/\/(localhost|127\.|\[::1\])/.test(url)

function Copy({ made, onNext }: { made: Made; onNext: () => void }) {
  const [isStored, setStored] = useState(false)
  const { url, token, steps } = fieldsOf(made.provider)
  return (
    <div className={`narrow ${styles.columns}`}>
      <section className="card">
        <header>
          <h2>Two things to paste</h2>
        </header>
        <div className={`body ${styles.things}`}>
          <CopyField label={url} value={made.scimUrl} />
          {isLocal(made.scimUrl) && (
            <p className={styles.warning}>
              {providerNames[made.provider]} cannot reach this address: it is this machine’s own. Give the server an address that
              is reachable from outside and set MUSTER_PUBLIC_URL to it.
            </p>
          )}
          <CopyField label={token} value={made.token} />
          <p className="small grey">
            Shown this once: we keep only a hash of it. It expires <Time at={made.tokenExpiresAt} />.
          </p>
          <CopyField
            label="To try it from a shell"
            value={`curl -H 'Authorization: Bearer ${made.token}' '${made.scimUrl}/Users?count=1'`}
          />
          <Checkbox
            size="md"
            label="I have stored the token"
            checked={isStored}
            onChange={(event) => setStored(event.currentTarget.checked)}
          />
        </div>
        <footer className="deeds">
          <Button variant="filled" disabled={!isStored} onClick={onNext}>
            Wait for the first request
          </Button>
        </footer>
      </section>
      <section className="card">
        <header>
          <h2>In {providerNames[made.provider]}</h2>
        </header>
        <ol className={`body ${styles.steps}`}>
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </section>
    </div>
  )
}
