import { type Api, answer } from './api.ts'
import { exit, Failure } from './failure.ts'
import type { Directory, Listed } from './shapes.ts'

/** The directory that was named, or the only one there is. @throws Failure usage, where there are several */
export async function chosenDirectory(api: Api, named: string | undefined): Promise<string> {
  if (named !== undefined) return named
  const { items } = await answer<Listed<Directory>>(api.GET('/api/v1/directories', { params: { query: { limit: 0 } } }))
  const [only, ...others] = items
  if (!only)
    throw new Failure(exit.failed, 'There is no directory yet.', 'Make one: muster directories create okta --provider okta')
  if (others.length === 0) return only.name
  throw new Failure(
    exit.usage,
    `There are ${items.length} directories: ${items.map(({ name }) => name).join(', ')}.`,
    'Name one of them: -d NAME',
  )
}
