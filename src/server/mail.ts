import { createTransport } from 'nodemailer'
import type { SendMail } from '../notify/deliver.ts'

/** Mails through the deployment's server, `smtp://USER:PASSWORD@HOST:587`; undefined where it has none. */
export function mailBy(url: string | undefined, from: string): SendMail | undefined {
  if (url === undefined) return undefined
  const transport = createTransport({ url, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 }, { from })
  return async ({ to, subject, text }) => {
    await transport.sendMail({ to: { name: '', address: to }, subject, text, disableUrlAccess: true, disableFileAccess: true })
  }
}
