import { Link } from '@tanstack/react-router'
import { Empty } from '../parts/states.tsx'

/** For an address that the console does not have. */
export const NotFound = () => (
  <Empty title="There is no such page" action={<Link to="/">Go to the overview</Link>}>
    The address may be mistyped, or it was moved.
  </Empty>
)
