import type { Directory } from '../../data/directories.ts'

type Provider = Directory['provider']

export const providerNames: Record<Provider, string> = {
  okta: 'Okta',
  entra: 'Microsoft Entra ID',
  google: 'Google Workspace',
  keycloak: 'Keycloak',
  jumpcloud: 'JumpCloud',
  onelogin: 'OneLogin',
  ping: 'PingOne',
  sailpoint: 'SailPoint',
  aws: 'AWS IAM Identity Center',
  ldap: 'LDAP',
  other: 'Other SCIM 2.0',
}

/** What a provider's own page calls the two things that are pasted there, and where that page is. */
export const fieldsOf = (provider: Provider): { url: string; token: string; steps: string[]; test: string } =>
  fields[provider] ?? usual

const usual = {
  url: 'SCIM base URL',
  token: 'Bearer token',
  steps: ['Open the provider’s provisioning settings.', 'Paste the base URL and the token.', 'Assign people, then push groups.'],
  test: 'Test connection',
}

const fields: Partial<Record<Provider, typeof usual>> = {
  okta: {
    url: 'Base URL',
    token: 'API Token',
    steps: [
      'In the Okta app, open Provisioning, then Integration, then Edit.',
      'Paste both, press Test API Credentials, save.',
      'Under To App, switch on Create, Update and Deactivate Users.',
      'Assign people to the app; then Push Groups, Find groups by name.',
    ],
    test: 'Test API Credentials',
  },
  entra: {
    url: 'Tenant URL',
    token: 'Secret Token',
    steps: [
      'In the enterprise application, open Provisioning and choose Automatic.',
      'Under Admin Credentials paste both and press Test Connection.',
      'Assign people and groups to the application.',
      'Start provisioning: Entra runs about every 40 minutes.',
    ],
    test: 'Test Connection',
  },
  onelogin: {
    url: 'SCIM Base URL',
    token: 'SCIM Bearer Token',
    steps: [
      'In the app, open Configuration and paste both.',
      'Under API Connection press Enable.',
      'Under Provisioning, enable it.',
    ],
    test: 'Enable',
  },
  jumpcloud: {
    url: 'Base URL',
    token: 'Token Key',
    steps: [
      'In the SSO application, open Identity Management.',
      'Paste both and press Test Connection.',
      'Activate, then bind user groups.',
    ],
    test: 'Test Connection',
  },
  google: {
    url: 'Endpoint URL',
    token: 'Access token',
    steps: [
      'In the SAML app, open Auto-provisioning.',
      'Paste both and map the attributes.',
      'Google pushes users only: groups need another way.',
    ],
    test: 'Start auto-provisioning',
  },
}

export const policyWords = {
  review: 'Review first',
  overwrite: 'Overwrite by itself',
  refuse: 'Refuse',
} as const

/** What the directory does where a group of that name exists, in a sentence. */
export const policySentences = {
  review: 'It waits here until somebody has looked. Nothing changes before.',
  overwrite: 'It is synced by itself, as a run that can be undone.',
  refuse: 'The provider is told that the name is taken.',
} as const
