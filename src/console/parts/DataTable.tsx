import { useMediaQuery } from '@mantine/hooks'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query'
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual'
import { type CSSProperties, type ReactNode, useEffect, useRef, useState } from 'react'
import { type ListOf, pageSize } from '../data/list.ts'
import styles from './DataTable.module.css'
import { useKeys } from './keys.ts'
import { Failed } from './states.tsx'

export interface Column<Row> {
  key: string
  header: ReactNode
  /** A track of the grid: `minmax(0, 1fr)`, `120px`. */
  width: string
  cell: (row: Row) => ReactNode
  /** What the server sorts by; the first press gives this direction. */
  sort?: string
  first?: 'up' | 'down'
  align?: 'end'
}

interface Props<Row> {
  /** What a screen reader calls the table. */
  label: string
  list: ListOf<Row>
  /** The first one names its row. */
  columns: Column<Row>[]
  idOf: (row: Row) => string
  /** A click beside links and fields, and Enter. */
  onOpen?: (row: Row) => void
  sort?: string | undefined
  onSort?: (sort: string) => void
  isSelected?: (row: Row) => boolean
  /** `x`, and `⇧x` for all between. */
  onTick?: (rows: Row[], isTicked: boolean) => void
  /** Further keys, on the row that `j` and `k` move. */
  rowKeys?: Record<string, (row: Row) => void>
  /** What stands there when nothing is listed. */
  empty: ReactNode
  /** Below 768 px, in place of columns. */
  card?: { height: number; of: (row: Row) => ReactNode }
  rowHeight?: 36 | 44 | 52
  /** As high as its rows, up to this; else it fills what it stands in. */
  maxHeight?: number
  /** The rows that are loaded, for `[` and `]`, and how many there are. */
  onRows?: (rows: Row[], total: number) => void
}

/**
 * A list of any length: the server pages, filters and sorts, and only what is seen is drawn. A real table, laid out as a grid;
 * rows that are not there yet are placeholders of the same height, and what was there stays until the new is.
 */
export function DataTable<Row>({ rowHeight = 44, ...props }: Props<Row>) {
  const { list, columns, idOf, onOpen, card, onTick, isSelected, maxHeight, onRows } = props
  const isNarrow = useMediaQuery('(max-width: 767px)') ?? false
  const asCards = isNarrow && card !== undefined
  const height = asCards ? card.height : rowHeight
  const scroller = useRef<HTMLElement>(null)
  const [active, setActive] = useState<number | undefined>()
  const [pages, setPages] = useState<number[]>([])

  const first = useQuery({ ...pageOf(list, 0), placeholderData: keepPreviousData })
  const more = useQueries({ queries: pages.filter((page) => page > 0).map((page) => pageOf(list, page)) })
  const total = first.data?.total ?? 0
  const loaded = new Map<number, Row[]>([[0, first.data?.items ?? []]])
  for (const [at, page] of pages.filter((page) => page > 0).entries()) loaded.set(page, more[at]?.data?.items ?? [])
  const rowAt = (index: number): Row | undefined => loaded.get(Math.floor(index / pageSize))?.[index % pageSize]

  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    // A row that holds the focus stays in the document.
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range)
      return active === undefined || active >= total || shown.includes(active) ? shown : [...shown, active].sort((a, b) => a - b)
    },
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the height of a row is another
  useEffect(() => virtual.measure(), [height])
  const items = virtual.getVirtualItems()
  const needed = [...new Set(items.map(({ index }) => Math.floor(index / pageSize)))]
  useEffect(() => {
    if (needed.join() !== pages.join()) setPages(needed)
  })
  useEffect(() => {
    if (first.data && !first.isPlaceholderData) onRows?.(first.data.items, first.data.total)
  }, [first.data, first.isPlaceholderData, onRows])

  const move = (to: number) => {
    const index = Math.max(0, Math.min(total - 1, to))
    setActive(index)
    virtual.scrollToIndex(index, { align: 'auto' })
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"] a`)?.focus())
  }
  const anchor = useRef(0)
  const onActive = (act: (row: Row, index: number) => void) => () => {
    const row = active === undefined ? undefined : rowAt(active)
    if (row !== undefined && active !== undefined) act(row, active)
  }
  const tickTo = (row: Row, index: number, isRange: boolean) => {
    const isTicked = !isSelected?.(row)
    const [from, to] = isRange ? [Math.min(anchor.current, index), Math.max(anchor.current, index)] : [index, index]
    anchor.current = index
    const rows = Array.from({ length: to - from + 1 }, (_, at) => rowAt(from + at)).filter((between) => between !== undefined)
    onTick?.(rows, isRange ? true : isTicked)
  }
  useKeys({
    j: () => move((active ?? -1) + 1),
    k: () => move((active ?? 1) - 1),
    ...(onTick
      ? { x: onActive((row, index) => tickTo(row, index, false)), X: onActive((row, index) => tickTo(row, index, true)) }
      : {}),
    ...Object.fromEntries(Object.entries(props.rowKeys ?? {}).map(([key, act]) => [key, onActive((row) => act(row))] as const)),
  })

  if (first.isError && !first.data)
    return <Failed error={first.error} what="The list could not be loaded" retry={() => void first.refetch()} />
  const isBusy = first.isFetching || more.some(({ isFetching }) => isFetching)
  const template = { '--columns': columns.map(({ width }) => width).join(' ') } as CSSProperties
  const asked = props.sort?.split(',')[0]

  return (
    <section
      ref={scroller}
      className={styles.scroller}
      tabIndex={0}
      aria-label={props.label}
      aria-busy={isBusy}
      style={{ ...template, ...(maxHeight ? { maxHeight, flex: 'none' } : {}) }}
    >
      {isBusy && <div className={styles.busy} />}
      <table role="table" aria-label={props.label} aria-rowcount={total + 1} className={asCards ? styles.cards : styles.table}>
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            {columns.map((column) => {
              const isSorted = column.sort !== undefined && asked?.replace(/^-/, '') === column.sort
              const isDown = asked?.startsWith('-')
              return (
                <th
                  key={column.key}
                  role="columnheader"
                  data-align={column.align}
                  {...(isSorted ? { 'aria-sort': isDown ? 'descending' : 'ascending' } : {})}
                >
                  {column.sort && props.onSort ? (
                    <button
                      type="button"
                      className={styles.sort}
                      data-sorted={isSorted}
                      onClick={() => props.onSort?.(nextSort(column, isSorted, isDown))}
                    >
                      {column.header}
                      {isSorted && (isDown ? <IconArrowDown size={13} aria-hidden /> : <IconArrowUp size={13} aria-hidden />)}
                    </button>
                  ) : (
                    column.header
                  )}
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody role="rowgroup" style={{ height: total * height || (first.isPending ? height * 8 : 0) }}>
          {first.isPending &&
            Array.from({ length: 8 }, (_, at) => (
              <tr
                key={at}
                role="row"
                className={styles.placeholder}
                style={{ height, transform: `translateY(${at * height}px)` }}
              >
                <td role="cell">
                  <span />
                </td>
              </tr>
            ))}
          {items.map(({ index, start }) => {
            const row = rowAt(index)
            const place = { height, transform: `translateY(${start}px)` }
            if (row === undefined)
              return (
                <tr key={index} role="row" aria-rowindex={index + 2} className={styles.placeholder} style={place}>
                  <td role="cell">
                    <span />
                  </td>
                </tr>
              )
            return (
              <tr
                key={idOf(row)}
                role="row"
                aria-rowindex={index + 2}
                data-index={index}
                data-selected={isSelected?.(row) ?? false}
                data-opens={onOpen !== undefined}
                aria-selected={onTick ? (isSelected?.(row) ?? false) : undefined}
                style={place}
                onFocus={() => setActive(index)}
                onClick={(event) => {
                  if (onOpen && !(event.target as Element).closest('a, button, input, select, label')) onOpen(row)
                }}
              >
                {asCards ? (
                  <td role="cell" className={styles.card}>
                    {card.of(row)}
                  </td>
                ) : (
                  columns.map(({ key, cell, align }, at) =>
                    at === nameColumn(columns) ? (
                      <th key={key} role="rowheader" data-align={align}>
                        {cell(row)}
                      </th>
                    ) : (
                      <td key={key} role="cell" data-align={align}>
                        {cell(row)}
                      </td>
                    ),
                  )
                )}
              </tr>
            )
          })}
        </tbody>
      </table>
      {first.data && total === 0 && props.empty}
    </section>
  )
}

const nameColumn = (columns: Column<never>[]): number => (columns[0]?.key === 'tick' ? 1 : 0)

const pageOf = <Row,>(list: ListOf<Row>, page: number) => ({
  queryKey: [...list.key, 'page', page],
  queryFn: ({ signal }: { signal: AbortSignal }) => list.page({ offset: page * pageSize, limit: pageSize }, signal),
})

const nextSort = ({ sort = '', first = 'down' }: Column<never>, isSorted: boolean, isDown: boolean | undefined): string =>
  (isSorted ? !isDown : first === 'down') ? `-${sort}` : sort
