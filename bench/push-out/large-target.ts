import { createServer } from 'node:http'

// A SCIM server of 50,000 people and 10,000 groups of 100, its pages made before anybody asks: what is measured is who reads them.

export const people = 50_000
export const teams = 10_000
const pageSize = 100
/** Which person stands where in a group. */
export const memberAt = (group: number, at: number): number => (group * 37 + at * 101) % people

if (process.send) {
  const user = (i: number) => ({ id: `u${i}`, externalId: `p${i}`, userName: `p${i}`, displayName: `p${i}`, active: true })
  // 0.1 %: in every tenth group one member is another.
  const group = (g: number) => ({
    id: `g${g}`,
    displayName: `team ${g}`,
    members: Array.from({ length: 100 }, (_, i) => ({
      value: `u${(memberAt(g, i) + (i === 0 && g % 10 === 0 ? 7 : 0)) % people}`,
    })),
  })
  const pagesOf = (count: number, one: (i: number) => object) =>
    Array.from({ length: Math.ceil(count / pageSize) }, (_, page) =>
      JSON.stringify({
        totalResults: count,
        Resources: Array.from({ length: Math.min(pageSize, count - page * pageSize) }, (_, i) => one(page * pageSize + i)),
      }),
    )
  const pages = { Users: pagesOf(people, user), Groups: pagesOf(teams, group) }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://scim')
    const kind = url.pathname.endsWith('/Users') ? 'Users' : 'Groups'
    if (url.pathname.endsWith('Config')) return response.writeHead(404).end('{}')
    response.end(pages[kind][Math.floor((Number(url.searchParams.get('startIndex')) - 1) / pageSize)])
  }).listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address !== null && typeof address === 'object') process.send?.(`http://127.0.0.1:${address.port}/scim/v2`)
  })
}
