import { expect, test } from '../support/story.ts'
import { urn } from './samples.ts'

test('attribute names are the same in any case, in a body, a parameter and a filter; they come back as the schema has them', async ({
  client,
}) => {
  const { body } = await client.request('POST', '/Users', {
    SCHEMAS: [urn.user],
    USERNAME: 'bjensen',
    Name: { FAMILYNAME: 'Jensen' },
    eMails: [{ VALUE: 'b@example.com', Type: 'work' }],
    [urn.enterprise.toUpperCase()]: { DEPARTMENT: 'Tours' },
  })
  expect(body).toMatchObject({
    schemas: [urn.user, urn.enterprise],
    userName: 'bjensen',
    name: { familyName: 'Jensen' },
    emails: [{ value: 'b@example.com', type: 'work' }],
    [urn.enterprise]: { department: 'Tours' },
  })
  const filter = encodeURIComponent('NAME.familyname eq "jensen" and EMAILS[TYPE eq "work"]')
  expect((await client.request('GET', `/Users?FILTER=${filter}&Attributes=USERNAME`)).body.Resources).toEqual([
    { schemas: [urn.user, urn.enterprise], id: body.id, userName: 'bjensen' },
  ])
  const twice = await client.request('POST', '/Users', { userName: 'a', USERNAME: 'b' })
  expect(twice).toMatchObject({ status: 400, body: { scimType: 'invalidSyntax' } })
})
