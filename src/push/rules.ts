import { RE2JS } from 're2js'
import { type Static, Type } from 'typebox'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import type { SourceGroup } from './source.ts'

export const operators = ['starts_with', 'contains', 'equals', 'ends_with', 'matches'] as const

const Term = Type.Object(
  {
    field: Type.Unsafe<'name' | 'description'>({ type: 'string', enum: ['name', 'description'] }),
    is: Type.Unsafe<(typeof operators)[number]>({ type: 'string', enum: [...operators] }),
    value: Type.String({ minLength: 1, maxLength: 512 }),
  },
  { additionalProperties: false },
)
type Term = Static<typeof Term>

/** Which groups a rule maps, and how. */
export const RuleCondition = Type.Object(
  {
    include: Type.Array(Term, { minItems: 1, maxItems: 100, description: 'A group is meant where one of these holds' }),
    exclude: Type.Optional(Type.Array(Term, { maxItems: 100, description: 'but not where one of these does' })),
    template: Type.Optional(
      Type.String({ maxLength: 255, pattern: '\\{name\\}', description: 'The name there: {name} is the name here' }),
    ),
    whenUnmatched: Type.Optional(
      Type.Unsafe<'flag' | 'stop' | 'unlink'>({
        type: 'string',
        enum: ['flag', 'stop', 'unlink'],
        description: 'What becomes of a mapping whose group no longer matches: it is flagged, no longer pushed, or unlinked',
      }),
    ),
  },
  { additionalProperties: false },
)
export type RuleCondition = Static<typeof RuleCondition>

/**
 * A rule as a test of groups, compiled once. Texts are compared as names are, without case; patterns are RE2 (linear in time) and mean what
 * they say.
 * @throws Refusal `invalid_value` for a pattern that RE2 does not know: look-around, back-references
 */
export function matcherOf({
  include,
  exclude = [],
}: RuleCondition): (group: Pick<SourceGroup, 'name' | 'description'>) => boolean {
  const [wanted, unwanted] = [include.map(testOf), exclude.map(testOf)]
  return (group) => wanted.some((test) => test(group)) && !unwanted.some((test) => test(group))
}

function testOf({ field, is, value }: Term): (group: Pick<SourceGroup, 'name' | 'description'>) => boolean {
  if (is === 'matches') {
    const pattern = compiled(value)
    return (group) => pattern.matcher(group[field] ?? '').find()
  }
  const key = nameKey(value)
  const tests: Record<Exclude<Term['is'], 'matches'>, (text: string) => boolean> = {
    starts_with: (text) => text.startsWith(key),
    contains: (text) => text.includes(key),
    equals: (text) => text === key,
    ends_with: (text) => text.endsWith(key),
  }
  return (group) => tests[is](nameKey(group[field] ?? ''))
}

function compiled(pattern: string): RE2JS {
  if (pattern.length > 512) throw new Refusal('invalid_value', 'A pattern has at most 512 characters.', { field: 'value' })
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw new Refusal('invalid_value', `${pattern} is no pattern of RE2: ${(error as Error).message}.`, { field: 'value' })
  }
}

/** The name of a group there. */
export const targetNameOf = (template: string | undefined, name: string): string =>
  template === undefined ? name : template.replaceAll('{name}', () => name)
