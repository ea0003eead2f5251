import { type ReactNode, useId } from 'react'
import styles from './Field.module.css'

/** What an input needs to be named and explained by its field. */
export interface FieldProps {
  id: string
  'aria-describedby'?: string
}

/** A setting: its name at the left, what it is set to at the right, with what that means below. */
export function Field({
  label,
  help,
  children,
}: {
  label: string
  help?: string | undefined
  children: (props: FieldProps) => ReactNode
}) {
  const id = useId()
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <div>
        {children({ id, ...(help ? { 'aria-describedby': `${id}-help` } : {}) })}
        {help && (
          <p id={`${id}-help`} className={styles.help}>
            {help}
          </p>
        )}
      </div>
    </div>
  )
}

export const Fields = ({ children }: { children: ReactNode }) => <div className={styles.fields}>{children}</div>
