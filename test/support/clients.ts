/** An answer as a client sees it; a body that is no JSON is a text, an empty one undefined. */
export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  body: any
}

export interface RequestOptions {
  token?: string | undefined
  headers?: Record<string, string>
}

export type Client = (method: string, path: string, body?: unknown, options?: RequestOptions) => Promise<Answer>

/** A thin client: sends JSON (a string as it is), follows nothing, throws for no status. */
export function clientOf(base: string, contentType: string, defaultToken: string | undefined): Client {
  return async (method, path, body, { token = defaultToken, headers = {} } = {}) => {
    const response = await fetch(path.startsWith('http') ? path : `${base}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': contentType }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: bodyOf(text, response.headers.get('content-type') ?? '') }
  }
}

function bodyOf(text: string, contentType: string): unknown {
  if (text === '') return undefined
  return /\bjson\b/.test(contentType) ? JSON.parse(text) : text
}
