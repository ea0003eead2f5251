import { Button, PasswordInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useEffect, useState } from 'react'
import {
  goToProvider,
  linkInAddress,
  linkOf,
  signInByLink,
  signInByPasskey,
  signInByToken,
  waysToSignIn,
} from '../data/sign-in.ts'
import { FailedLine, Waiting } from '../parts/states.tsx'
import styles from './SignIn.module.css'

/** Sign in: by a link, a provider or a token; then back to where one was. */
export function SignIn() {
  const { to, now, problem } = useSearch({ from: '/sign-in' })
  const navigate = useNavigate()
  const [link] = useState(linkInAddress)
  useEffect(() => {
    document.title = 'Sign in – Muster'
  }, [])
  // Only a path of our own: an address that somebody put there leads nowhere else.
  const returnTo = to !== undefined && /^\/(o\/|device\?)/.test(to) ? to : '/'
  const goOn = () => void navigate({ href: returnTo })
  return (
    <Page>
      {link === undefined ? (
        <Ways returnTo={returnTo} problem={problem} goOn={goOn} />
      ) : (
        <ByLink link={link} isAtOnce={now === true} goOn={goOn} />
      )}
    </Page>
  )
}

/** What stands around all that one sees before one is signed in. */
export const Page = ({ children }: { children: ReactNode }) => (
  <main className={styles.page}>
    <div className={styles.form}>
      <img src="/icon.svg" alt="" width={36} height={36} />
      {children}
    </div>
  </main>
)

function ByLink({ link, isAtOnce, goOn }: { link: string; isAtOnce: boolean; goOn: () => void }) {
  const navigate = useNavigate()
  const shown = useQuery(linkOf(link))
  const signIn = useMutation({ mutationFn: () => signInByLink(link), onSuccess: goOn })
  const isReady = shown.data?.kind === 'sign_in'
  useEffect(() => {
    if (shown.data?.kind === 'setup') void navigate({ to: '/setup' })
  }, [shown.data, navigate])
  // A link that was just made at the terminal is its maker's: nothing is left to ask.
  useEffect(() => {
    if (isReady && isAtOnce && signIn.isIdle) signIn.mutate()
  }, [isReady, isAtOnce, signIn.isIdle, signIn.mutate])
  if (shown.error)
    return (
      <>
        <h1>This link opens nothing</h1>
        <FailedLine error={shown.error} />
        <Button component="a" href="/sign-in" size="lg">
          Sign in another way
        </Button>
      </>
    )
  const who = shown.data?.who
  if (!who) return <Waiting />
  const name = who.person?.displayName ?? who.person?.userName
  const email = who.person?.email
  return (
    <>
      <h1>Sign in to {who.organization.name}</h1>
      <p className={styles.text}>
        This link is for <strong>{name}</strong>
        {email && email !== name ? ` (${email})` : ''}, {whatRoleMay[who.role]}. It signs in once.
      </p>
      <FailedLine error={signIn.error} />
      <Button variant="filled" size="lg" loading={signIn.isPending} onClick={() => signIn.mutate()} data-autofocus>
        Sign in
      </Button>
    </>
  )
}

/** What a role may do, in words that follow a name. */
export const whatRoleMay = {
  owner: 'an owner: may do everything',
  admin: 'an admin: may do everything but say who signs in',
  reviewer: 'a reviewer: decides about groups of given products',
  auditor: 'an auditor: sees everything and changes nothing',
} as const

const problems: Record<string, string> = {
  not_invited:
    'The provider said who you are, but nobody invited you here by that verified e-mail. Ask an owner for a link; once signed in by it, connect the provider in Settings.',
  provider_failed: 'The provider did not sign you in. Try again, or use another way.',
  attempt_not_valid: 'That sign-in was not begun in this browser, or more than 10 minutes ago. Begin again.',
}

function Ways({ returnTo, problem, goOn }: { returnTo: string; problem: string | undefined; goOn: () => void }) {
  const ways = useQuery(waysToSignIn())
  const going = useMutation({ mutationFn: (provider: string) => goToProvider(provider, returnTo) })
  const byPasskey = useMutation({ mutationFn: signInByPasskey, onSuccess: goOn })
  if (ways.isPending) return <Waiting />
  if (ways.data?.needsSetup)
    return (
      <>
        <h1>Nothing is set up yet</h1>
        <p className={styles.text}>
          The server printed a link when it started: open that one. For another, run on the server’s machine:{' '}
          <code className="mono">npx muster admin link</code>
        </p>
      </>
    )
  return (
    <>
      <h1>Sign in to Muster</h1>
      {problem !== undefined && (
        <p role="alert" className={styles.problem}>
          {problems[problem] ?? 'Nobody was signed in. Try again.'}
        </p>
      )}
      {ways.data?.providers.map(({ id, name }) => (
        <Button
          key={id}
          variant="filled"
          size="lg"
          loading={going.isPending && going.variables === id}
          onClick={() => going.mutate(id)}
        >
          Continue with {name}
        </Button>
      ))}
      {ways.data?.passkeys && (
        <Button size="lg" loading={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
          Sign in with a passkey
        </Button>
      )}
      <FailedLine error={going.error ?? byPasskey.error ?? ways.error} />
      <p className={styles.text}>
        Invited? Open the link you were given. Locked out? On the server’s machine,{' '}
        <code className="mono">muster admin link</code> prints one.
      </p>
      <ByToken goOn={goOn} />
    </>
  )
}

function ByToken({ goOn }: { goOn: () => void }) {
  const [token, setToken] = useState('')
  const signIn = useMutation({ mutationFn: () => signInByToken(token), onSuccess: goOn })
  return (
    <details className={styles.more}>
      <summary>Use an API token</summary>
      <form
        className={styles.fields}
        onSubmit={(event) => {
          event.preventDefault()
          signIn.mutate()
        }}
      >
        <PasswordInput
          label="API token"
          description="Kept in this tab only."
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          autoComplete="off"
          size="md"
          required
        />
        {signIn.error && (
          <p role="alert" className={styles.problem}>
            This token is wrong, expired or revoked. Paste it again, or make a new one.
          </p>
        )}
        <Button type="submit" size="md" loading={signIn.isPending}>
          Sign in with the token
        </Button>
      </form>
    </details>
  )
}
