import { Type } from 'typebox'
import { changes } from '../../organization/past-access.ts'
import { OneOf } from './shapes.ts'

export const Change = OneOf(changes, 'lost: it was so then and is not now; gained: it is so now and was not then')

/** What is other than it was at a moment. */
export const since = {
  change: Change,
  throughThen: Type.Array(Type.String(), { description: 'Names of the groups that gave it then, as they were called then' }),
  throughNow: Type.Array(Type.String(), { description: 'Names of the groups that give it now' }),
}
