/** One of few words, in a toolbar: the platform's own field. */
export const Choose = <Value extends string>({
  label,
  value,
  onChange,
  options,
}: {
  label: string
  value: Value | undefined
  onChange: (value: Value | undefined) => void
  /** The first, without a value, is «all». */
  options: [value: Value | '', word: string][]
}) => (
  <select
    aria-label={label}
    className="choose"
    value={value ?? ''}
    onChange={(event) => onChange(event.currentTarget.value === '' ? undefined : (event.currentTarget.value as Value))}
  >
    {options.map(([option, word]) => (
      <option key={option} value={option}>
        {word}
      </option>
    ))}
  </select>
)
