import { Button, PasswordInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { ApiError, cache, pastedToken } from '../data/api.ts'
import { session } from '../data/session.ts'
import { FailedLine } from '../parts/states.tsx'
import styles from './SignIn.module.css'

/** Sign in with an API token; then back to where one was. */
export function SignIn() {
  const { to } = useSearch({ from: '/sign-in' })
  const navigate = useNavigate()
  const [token, setToken] = useState('')
  useEffect(() => {
    document.title = 'Sign in – Muster'
  }, [])
  const signIn = useMutation({
    mutationFn: async () => {
      pastedToken.set(token.trim())
      cache.clear()
      return cache.fetchQuery(session())
    },
    onError: () => pastedToken.forget(),
    // Only a path of our own: an address that somebody put there leads nowhere else.
    onSuccess: () => navigate({ href: to?.startsWith('/o/') ? to : '/' }),
  })
  const error = signIn.error instanceof ApiError && signIn.error.status === 401 ? new Error('wrong') : (signIn.error ?? undefined)
  return (
    <main className={styles.page}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          signIn.mutate()
        }}
      >
        <img src="/icon.svg" alt="" width={36} height={36} />
        <h1>Sign in to Muster</h1>
        <PasswordInput
          label="API token"
          description="From muster admin-token create, on the server’s machine. Kept in this tab only."
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={
            error && error.message === 'wrong'
              ? 'This token is wrong, expired or revoked. Paste it again, or make a new one.'
              : undefined
          }
          autoComplete="off"
          size="md"
          data-autofocus
          required
        />
        {error && error.message !== 'wrong' && <FailedLine error={error} />}
        <Button type="submit" variant="filled" size="lg" loading={signIn.isPending}>
          Sign in
        </Button>
      </form>
    </main>
  )
}
