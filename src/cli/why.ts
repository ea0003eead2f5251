import { type Api, answer } from './api.ts'
import { Failure } from './failure.ts'
import type { NamedAccess } from './lists.ts'
import type { Why } from './shapes.ts'

/** Why a person has an access. Names may hold slashes: the first reading that there is, or what is said of the likeliest. */
export async function whyOf(
  api: Api,
  person: string,
  [reading, next, ...others]: [NamedAccess, ...NamedAccess[]],
  sync?: string[],
): Promise<Why> {
  try {
    return await answer<Why>(
      api.GET('/api/v1/people/{person}/access/why', {
        params: { path: { person }, query: { ...reading, ...(sync === undefined ? {} : { sync }) } },
      }),
    )
  } catch (error) {
    if (!(error instanceof Failure) || next === undefined || !isNoSuchRole(error)) throw error
    return whyOf(api, person, [next, ...others], sync).catch((other) => {
      throw other instanceof Failure && isNoSuchRole(other) ? error : other
    })
  }
}

const isNoSuchRole = ({ problem, message }: Failure) =>
  (problem as { status?: number } | undefined)?.status === 404 && /role/.test(message)
