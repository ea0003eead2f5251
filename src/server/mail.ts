import type { Transporter } from 'nodemailer'
import type { SendMail } from '../notify/deliver.ts'

const limits = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 }

/** Mails through the deployment's server, `smtp://USER:PASSWORD@HOST:587`; undefined where it has none. */
export function mailBy(url: string | undefined, from: string): SendMail | undefined {
  if (url === undefined) return undefined
  let transport: Transporter | undefined
  return async ({ to, subject, text }) => {
    // Loaded with the first mail: 25 MB that a server without mail does without.
    transport ??= (await import('nodemailer')).createTransport({ url, ...limits }, { from })
    await transport.sendMail({ to: { name: '', address: to }, subject, text, disableUrlAccess: true, disableFileAccess: true })
  }
}
