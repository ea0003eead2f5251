import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root: string = join(import.meta.dirname, '../..')

/** Every TypeScript file of `src`, pages of the console included, by its path below `src`, with its text. */
export function sourceFiles(): Map<string, string> {
  const cwd = join(root, 'src')
  return new Map(
    globSync('**/*.{ts,tsx}', { cwd })
      .sort()
      .map((path) => [path, readFileSync(join(cwd, path), 'utf8')]),
  )
}

/** A text without comments: what they say is not done. */
export const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*(\/\/|--).*$/gm, '')
