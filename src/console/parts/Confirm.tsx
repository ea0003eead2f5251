import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { Dialog } from './Dialog.tsx'
import { FailedLine } from './states.tsx'

interface Props {
  title: ReactNode
  /** What the button says: the deed. */
  deed: string
  /** The change that is asked for: whether it is under way, and what went wrong. */
  change: { isPending: boolean; error: unknown }
  onDo: () => void
  onClose: () => void
  /** Off until what is typed matches, say. */
  disabled?: boolean
  children: ReactNode
}

/** Asks before what takes something away: what it does, Cancel with the focus, and the deed. */
export const Confirm = ({ title, deed, change, onDo, onClose, disabled = false, children }: Props) => (
  <Dialog
    title={title}
    onClose={onClose}
    foot={
      <>
        <Button data-autofocus onClick={onClose}>
          Cancel
        </Button>
        <Button variant="filled" color="take" disabled={disabled} loading={change.isPending} onClick={onDo}>
          {deed}
        </Button>
      </>
    }
  >
    {children}
    <FailedLine error={change.error} />
  </Dialog>
)
