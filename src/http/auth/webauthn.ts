import { isIP } from 'node:net'
import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import type { AccountId } from '../../database/ids.ts'
import type { Credential } from '../../organization/passkeys.ts'
import { Refusal } from '../../organization/refusal.ts'

export type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
}

/** Whether passkeys can be had here: they are of a name, not of an address. */
export const hasPasskeys = (publicUrl: string): boolean => isIP(new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')) === 0

/** Passkeys (W3C Web Authentication): made, and signed in by, on pages of this server alone, by whom their device has verified. */
export function webAuthn(publicUrl: string) {
  const { origin, hostname } = new URL(publicUrl)
  const expected = { expectedOrigin: origin, expectedRPID: hostname, requireUserVerification: true }
  return {
    async creationOptions(
      account: { id: AccountId; userName: string; displayName: string | null },
      challenge: string,
      known: readonly Credential[],
    ): Promise<PublicKeyCredentialCreationOptionsJSON> {
      const { generateRegistrationOptions } = await library()
      return generateRegistrationOptions({
        rpName: 'Muster',
        rpID: hostname,
        userID: new TextEncoder().encode(account.id),
        userName: account.userName,
        userDisplayName: account.displayName ?? account.userName,
        challenge: bytesOf(challenge),
        excludeCredentials: known.map(({ credentialId, transports }) => ({
          id: credentialId,
          transports: transports as AuthenticatorTransport[],
        })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      })
    },

    /** @throws Refusal `passkey_not_valid` */
    async made(response: RegistrationResponseJSON, challenge: string) {
      const { verifyRegistrationResponse } = await library()
      const { registrationInfo } = await verifyRegistrationResponse({
        response,
        expectedChallenge: challenge,
        ...expected,
      }).catch(notValid)
      if (!registrationInfo) return notValid()
      const { id, publicKey, counter, transports = [] } = registrationInfo.credential
      return { credentialId: id, publicKey: Buffer.from(publicKey), counter, transports: [...transports] }
    },

    async requestOptions(challenge: string): Promise<PublicKeyCredentialRequestOptionsJSON> {
      const { generateAuthenticationOptions } = await library()
      return generateAuthenticationOptions({ rpID: hostname, challenge: bytesOf(challenge), userVerification: 'required' })
    },

    /** How often the passkey says it was used. @throws Refusal `passkey_not_valid` */
    async usedBy(response: AuthenticationResponseJSON, challenge: string, { credentialId, publicKey, counter }: Credential) {
      const { verifyAuthenticationResponse } = await library()
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response,
        expectedChallenge: challenge,
        credential: { id: credentialId, publicKey: new Uint8Array(publicKey), counter },
        ...expected,
      }).catch(notValid)
      return verified ? authenticationInfo.newCounter : notValid()
    },
  }
}

// Loaded when the first passkey comes: most servers' starts do without.
const library = () => import('@simplewebauthn/server')

const bytesOf = (challenge: string) => new Uint8Array(Buffer.from(challenge, 'base64url'))

export function notValid(): never {
  throw new Refusal('passkey_not_valid', 'This passkey opens nothing here. Use another one, or sign in another way.')
}
