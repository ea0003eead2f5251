/** Which protocol a URL belongs to, as the router reads it: percent-encoded, or with slashes doubled, it is the same path. */
export function protocolOf(url: string): 'scim' | 'api' | undefined {
  const [, first] = /^\/+([^/]*)/.exec(decoded(url.split('?', 1)[0] ?? '')) ?? []
  return first === 'scim' || first === 'api' ? first : undefined
}

function decoded(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
