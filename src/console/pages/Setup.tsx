import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { linkInAddress, setUp } from '../data/sign-in.ts'
import { FailedLine } from '../parts/states.tsx'
import styles from './SignIn.module.css'
import { Page } from './SignIn.tsx'

/** The first page of an empty server: the organization, and who owns it. */
export function Setup() {
  const navigate = useNavigate()
  const [link] = useState(linkInAddress)
  const [organization, setOrganization] = useState('')
  const [email, setEmail] = useState('')
  useEffect(() => {
    document.title = 'Set up – Muster'
  }, [])
  const making = useMutation({
    mutationFn: () => setUp({ link: link ?? '', organization, email }),
    onSuccess: () => navigate({ to: '/' }),
  })
  if (link === undefined)
    return (
      <Page>
        <h1>A link opens this page</h1>
        <p className={styles.text}>
          The server printed it when it started on an empty database. It works once, for 10 minutes. For another, run on the
          server’s machine: <code className="mono">npx muster admin link</code>
        </p>
      </Page>
    )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    making.mutate()
  }
  return (
    <Page>
      <h1>Set up Muster</h1>
      <p className={styles.text}>You will own this organization and can invite others.</p>
      <form className={styles.fields} onSubmit={submit}>
        <TextInput
          label="Organization"
          description="What your people call it"
          value={organization}
          onChange={(event) => setOrganization(event.currentTarget.value)}
          maxLength={255}
          size="md"
          required
          data-autofocus
        />
        <TextInput
          label="Your e-mail"
          description="Who signs in by a provider is known by it the first time"
          type="email"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          maxLength={255}
          size="md"
          autoComplete="email"
          required
        />
        <FailedLine error={making.error} />
        <Button type="submit" variant="filled" size="lg" loading={making.isPending}>
          Make the organization
        </Button>
      </form>
    </Page>
  )
}
