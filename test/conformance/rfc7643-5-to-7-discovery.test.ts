import { expect, test } from '../support/story.ts'
import { sample, urn } from './samples.ts'

interface Described {
  name: string
  subAttributes?: Described[]
  [characteristic: string]: unknown
}

/** Where a schema of ours says otherwise than the example of the RFC, and why. */
const otherwise: Record<string, string> = {
  'User.password': 'never returned, and so not described (rule 6)',
  'User.groups.value.caseExact': 'an id is exact (§3.1)',
  'Group.displayName.uniqueness': 'a directory has one group of a name',
  'Group.members.value.caseExact': 'an id is exact (§3.1)',
  'Group.members.display.returned': 'only where it is asked for: who compares what it sent would see another member',
  'EnterpriseUser.manager.value.required': 'a manager may be taken away',
  'EnterpriseUser.manager.$ref.required': 'the server says it',
  'ResourceType.name.caseExact': 'a resource is found by its name in any case',
  'ResourceType.name.uniqueness': 'nobody makes one',
  'ResourceType.endpoint.uniqueness': 'nobody makes one',
  'ResourceType.schemaExtensions.required': 'a kind may have none',
  'Schema.id.caseExact': 'a URN is told apart by its case in discovery only',
  'Schema.name.required': 'a URN is enough',
}
const characteristics = [
  'type',
  'multiValued',
  'required',
  'caseExact',
  'mutability',
  'returned',
  'uniqueness',
  'canonicalValues',
  'referenceTypes',
]

function differences(path: string, rfc: Described[], ours: Described[] = []): string[] {
  return rfc.flatMap((one) => {
    const found = ours.find(({ name }) => name === one.name)
    const here = `${path}.${one.name}`
    if (found === undefined) return [here]
    const wrong = characteristics.filter(
      // Of a type that has no case or no characteristic of its own, the RFC's examples say now this, now that (errata); references are exact (§2.3.7).
      (key) =>
        key in one &&
        !(key === 'caseExact' && ['reference', 'binary', 'boolean', 'complex'].includes(String(one.type))) &&
        JSON.stringify(one[key]) !== JSON.stringify(found[key]),
    )
    return [...wrong.map((key) => `${here}.${key}`), ...differences(here, one.subAttributes ?? [], found.subAttributes)]
  })
}

test('§5: the service provider configuration has every required attribute of the example', async ({ client }) => {
  const { body } = await client.request('GET', '/ServiceProviderConfig')
  const example = sample('rfc7643-8.5-service_provider_configuration')
  expect(body.schemas).toEqual(example.schemas)
  for (const feature of ['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag'])
    expect(Object.keys(body[feature]).sort(), feature).toEqual(Object.keys(example[feature]).sort())
  for (const scheme of body.authenticationSchemes)
    expect(Object.keys(scheme)).toEqual(expect.arrayContaining(['type', 'name', 'description']))
  expect(body.meta).toMatchObject({
    resourceType: 'ServiceProviderConfig',
    location: expect.stringMatching(/\/ServiceProviderConfig$/),
  })
})

test('§6: the resource types are those of the examples, each with its own extensions', async ({ client }) => {
  const { body } = await client.request('GET', '/ResourceTypes')
  const list = sample('rfc7644-4-list_response-resource_types')
  expect(body).toMatchObject({ schemas: list.schemas, totalResults: 2, startIndex: 1, itemsPerPage: 2 })
  for (const name of ['user', 'group']) {
    const { id, name: named, endpoint, schema, schemas } = sample(`rfc7643-8.6-resource_type-${name}`)
    const ours = body.Resources.find((one: { id: string }) => one.id === id)
    expect(ours).toMatchObject({ id, name: named, endpoint, schema, schemas, meta: { resourceType: 'ResourceType' } })
    expect(ours.schemaExtensions).toEqual([{ schema: name === 'user' ? urn.enterprise : urn.sync, required: false }])
  }
})

test('§7: each schema of §8.7 is described as there, but for what is said with its reason', async ({ client }) => {
  const { body } = await client.request('GET', '/Schemas')
  const found = [
    '8.7.1-schema-user',
    '8.7.1-schema-group',
    '8.7.1-schema-enterprise_user',
    '8.7.2-schema-service_provider_configuration',
    '8.7.2-schema-resource_type',
    '8.7.2-schema-schema',
  ].flatMap((name) => {
    const rfc = sample(`rfc7643-${name}`)
    const ours = body.Resources.find((one: { id: string }) => one.id === rfc.id)
    const kind = rfc.id === urn.enterprise ? 'EnterpriseUser' : rfc.id.split(':').at(-1)
    return differences(kind, rfc.attributes, ours?.attributes)
  })
  expect(found.sort()).toEqual(Object.keys(otherwise).sort())
})

test('§7: what is answered is described, and every schema that a resource type names is there', async ({ client }) => {
  const { body: types } = await client.request('GET', '/ResourceTypes')
  const named = types.Resources.flatMap((type: { schema: string; schemaExtensions: { schema: string }[] }) => [
    type.schema,
    ...type.schemaExtensions.map((extension) => extension.schema),
  ])
  for (const id of named)
    for (const path of [id, id.toLowerCase(), encodeURIComponent(id)])
      expect((await client.request('GET', `/Schemas/${path}`)).body.id, path).toBe(id)
})
