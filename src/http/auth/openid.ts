import type { Configuration } from 'openid-client'
import type { SignInProviderId } from '../../database/ids.ts'
import type { Identified } from '../../organization/identities.ts'
import { Refusal } from '../../organization/refusal.ts'
import type { Reach } from '../../outgoing/address.ts'
import { outgoing } from '../../outgoing/request.ts'

/** A provider as it is spoken to. */
export interface OpenIdProvider {
  id: SignInProviderId
  name: string
  issuer: string
  clientId: string
  clientSecret: string | null
  updatedAt: Date
}

export interface Proofs {
  state: string
  nonce: string
  codeVerifier: string
}

/** Signing in by OpenID Connect: authorization code with PKCE, state and nonce (rule 35). */
export interface OpenId {
  /** Where the browser is sent. @throws Refusal `provider_failed` */
  authorizationUrl(provider: OpenIdProvider, proofs: Proofs): Promise<string>
  /** Whom the provider signed in, from the address that the browser came back to. @throws Refusal `provider_failed` */
  identified(provider: OpenIdProvider, cameBackTo: URL, proofs: Proofs): Promise<Identified>
  close(): void
}

/** Where providers send browsers back to, below the public URL. */
export const signInCallback = '/api/v1/sign-in/callback'

// Loaded when somebody first signs in so: most servers' starts do without.
const library = () => import('openid-client')

// A person waits for it.
const timeoutMs = 15_000

export function openId(reach: Reach, redirectUri: string): OpenId {
  const client = outgoing({ reach, timeoutMs, maxBytes: 1024 * 1024 })
  const known = new Map<SignInProviderId, { since: number; configuration: Promise<Configuration> }>()

  /** What the provider says of itself: asked when it is first needed, then kept; one that was down is asked again. */
  function configurationOf(provider: OpenIdProvider): Promise<Configuration> {
    const since = provider.updatedAt.getTime()
    const kept = known.get(provider.id)
    if (kept?.since === since) return kept.configuration
    const configuration = discovered(provider)
    known.set(provider.id, { since, configuration })
    configuration.catch(() => known.delete(provider.id))
    return configuration
  }

  async function discovered(provider: OpenIdProvider): Promise<Configuration> {
    const { allowInsecureRequests, customFetch, discovery } = await library()
    return discovery(new URL(provider.issuer), provider.clientId, provider.clientSecret ?? undefined, undefined, {
      [customFetch]: send,
      // What goes out by http is decided by the deployment's list (rule 26), in `send`.
      execute: provider.issuer.startsWith('http:') ? [allowInsecureRequests] : [],
    })
  }

  async function send(
    url: string,
    options: { method: string; headers: Record<string, string>; body?: unknown },
  ): Promise<Response> {
    const { method, headers, body } = options
    const answer = await client.send({
      method,
      url,
      headers,
      ...(body === undefined || body === null ? {} : { body: String(body) }),
    })
    const { 'content-type': contentType = '' } = answer.headers
    return new Response(answer.text === '' ? null : answer.text, {
      status: answer.status,
      headers: { 'content-type': String(contentType) },
    })
  }

  return {
    authorizationUrl: (provider, { state, nonce, codeVerifier }) =>
      withProvider(provider, async () => {
        const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await library()
        return buildAuthorizationUrl(await configurationOf(provider), {
          redirect_uri: redirectUri,
          scope: 'openid email profile',
          code_challenge: await calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
          state,
          nonce,
        }).toString()
      }),
    identified: (provider, cameBackTo, { state, nonce, codeVerifier }) =>
      withProvider(provider, async () => {
        const { authorizationCodeGrant, fetchUserInfo } = await library()
        const configuration = await configurationOf(provider)
        const tokens = await authorizationCodeGrant(configuration, cameBackTo, {
          pkceCodeVerifier: codeVerifier,
          expectedState: state,
          expectedNonce: nonce,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        // The library takes a token for several audiences, of which we are one; ours is for us alone.
        if (claims === undefined || claims.iss !== provider.issuer || [claims.aud].flat().join() !== provider.clientId)
          throw new Error('its ID token is not from this issuer to this client alone')
        // By the letter of OpenID Connect Core (§5.4) the e-mail is not in the token, but told to who asks with it.
        const about =
          claims.email === undefined && configuration.serverMetadata().userinfo_endpoint !== undefined
            ? await fetchUserInfo(configuration, tokens.access_token, claims.sub)
            : claims
        return {
          issuer: provider.issuer,
          subject: claims.sub,
          email: typeof about.email === 'string' ? about.email : null,
          isEmailVerified: about.email_verified === true,
        }
      }),
    close: () => client.close(),
  }
}

async function withProvider<T>({ name }: OpenIdProvider, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Refusal(
      'provider_failed',
      `${name} did not sign anybody in: ${whyOf(error)}. Try again, or sign in by a link; on the server's machine: muster admin link`,
    )
  }
}

// The innermost cause says most; a foreign text is cut (rule 26).
function whyOf(error: unknown): string {
  const { message, cause, error_description: said, error: code } = error as Error & { error_description?: string; error?: string }
  if (said !== undefined || code !== undefined) return String(said ?? code).slice(0, 200)
  return (cause instanceof Error ? `${message} (${cause.message})` : message).slice(0, 300)
}
