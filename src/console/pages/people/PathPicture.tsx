import styles from './Why.module.css'

const [boxWidth, boxHeight, gap, columnGap, head] = [230, 34, 12, 150, 24]
const mostLines = 12

/** Left the groups that give the access now, right after a sync: bold lines stay, dashed ones end. The chain below says the same in words. */
export function PathPicture({
  access: { product, role },
  now,
  after,
}: {
  access: { product: string; role: string }
  now: string[]
  after: string[]
}) {
  const groups = [...new Set([...now, ...after])].sort()
  if (groups.length === 0) return null
  if (groups.length > mostLines)
    return (
      <p>
        Now through {now.length} groups, after a sync through {after.length}: {after.join(', ') || 'none'}.
      </p>
    )
  const height = head + groups.length * (boxHeight + gap)
  const middle = head + (height - head - gap) / 2
  const [left, centre, right] = [0, boxWidth + columnGap, 2 * (boxWidth + columnGap)]
  const y = (at: number) => head + at * (boxHeight + gap) + boxHeight / 2
  const curve = (fromX: number, fromY: number, toX: number, toY: number) =>
    `M${fromX},${fromY} C${(fromX + toX) / 2},${fromY} ${(fromX + toX) / 2},${toY} ${toX},${toY}`
  const ends = after.length === 0
  const words = `Now through ${now.join(', ') || 'no group'}; after a sync through ${after.join(', ') || 'no group'}.`
  return (
    <svg viewBox={`0 0 ${right + boxWidth} ${height}`} className={styles.picture} role="img" aria-label={words}>
      <text x={left} y={14} className={styles.head}>{`Now: through ${now.length}`}</text>
      <text x={centre} y={14} className={styles.head}>
        gives
      </text>
      <text x={right} y={14} className={styles.head}>{`If all that waits were synced: through ${after.length}`}</text>
      {groups.map((group, at) => (
        <g key={group}>
          {now.includes(group) && (
            <path
              d={curve(left + boxWidth, y(at), centre, middle)}
              className={after.includes(group) ? styles.stays : styles.ends}
            />
          )}
          {after.includes(group) ? (
            <path d={curve(centre + boxWidth, middle, right, y(at))} className={styles.stays} />
          ) : (
            <path d={curve(centre + boxWidth, middle, right, y(at))} className={styles.ends} />
          )}
          {now.includes(group) && <Box x={left} y={y(at)} text={group} />}
          <Box x={right} y={y(at)} text={group} isGone={!after.includes(group)} />
        </g>
      ))}
      <Box x={centre} y={middle} text={`${product} · ${role}`} ends={ends} />
    </svg>
  )
}

const cut = (text: string) => (text.length > 32 ? `${text.slice(0, 12)}…${text.slice(-18)}` : text)

const Box = ({
  x,
  y,
  text,
  ends = false,
  isGone = false,
}: {
  x: number
  y: number
  text: string
  ends?: boolean
  isGone?: boolean
}) => (
  <g>
    <title>{text}</title>
    <rect
      x={x + 0.5}
      y={y - boxHeight / 2}
      width={boxWidth - 1}
      height={boxHeight}
      rx={6}
      className={isGone ? styles.gone : styles.box}
      data-ends={ends}
    />
    <text x={x + 10} y={y + 4} className={isGone || ends ? styles.struck : undefined}>
      {cut(text)}
    </text>
  </g>
)
