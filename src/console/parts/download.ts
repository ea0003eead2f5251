import { pastedToken } from '../data/api.ts'

/** Saves what a path of the API answers as a file. A link would not carry a pasted token. */
export async function download(path: string, query: Record<string, unknown>, name: string): Promise<void> {
  const url = new URL(path, location.origin)
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value))
  const token = pastedToken.get()
  const answer = await fetch(url, token === null ? {} : { headers: { authorization: `Bearer ${token}` } })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await answer.blob())
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
