import { build } from 'vite'

/** What is tested is the console as it stands, not the one of the last `npm ci`. */
export async function setup(): Promise<void> {
  await build({ configFile: 'vite.config.ts', mode: 'production' })
}
