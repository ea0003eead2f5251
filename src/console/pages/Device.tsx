import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { deviceOf, useConfirmDevice } from '../data/own-sign-in.ts'
import { session } from '../data/session.ts'
import { Time } from '../parts/figures.tsx'
import { FailedLine } from '../parts/states.tsx'
import styles from './SignIn.module.css'
import { Page } from './SignIn.tsx'

/** `muster login` shows a code: who is signed in compares it, and lets the command line in. */
export function Device() {
  const search = useSearch({ from: '/device' })
  const [code, setCode] = useState(search.code ?? '')
  const isWhole = code.replace(/[^a-z]/gi, '').length === 8
  const found = useQuery(deviceOf(isWhole ? code : ''))
  const me = useQuery(session())
  const confirm = useConfirmDevice()
  useEffect(() => {
    document.title = 'Let a program in – Muster'
  }, [])
  if (confirm.isSuccess)
    return (
      <Page>
        <h1>Done</h1>
        <p className={styles.text}>The command line is signed in. You can close this page.</p>
      </Page>
    )
  return (
    <Page>
      <h1>Let the command line in?</h1>
      <TextInput
        label="Code"
        description="As muster login shows it"
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        size="md"
        autoComplete="off"
        spellCheck={false}
      />
      {found.data && (
        <p className={styles.text}>
          <strong>{found.data.device}</strong> asked from {found.data.address ?? 'somewhere'}, <Time at={found.data.createdAt} />.
          It may then do all that you may
          {me.data ? ` (${me.data.role} of ${me.data.organization.name})` : ''}, for 90 days. If you did not just type{' '}
          <code className="mono">muster login</code> yourself, close this page.
        </p>
      )}
      <FailedLine error={isWhole ? (found.error ?? confirm.error) : undefined} />
      <Button
        variant="filled"
        size="lg"
        disabled={!found.data}
        loading={confirm.isPending}
        onClick={() => found.data && confirm.mutate(found.data.userCode)}
      >
        The code is the same: let it in
      </Button>
    </Page>
  )
}
