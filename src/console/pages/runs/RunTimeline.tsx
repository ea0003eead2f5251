import { Timeline } from '@mantine/core'
import { IconArrowBackUp, IconCheck, IconClock, IconLoader2, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { isOver, type Run } from '../../data/runs.ts'
import { Time } from '../../parts/figures.tsx'

/** Asked, approved, started, ended. */
export function RunTimeline({ run }: { run: Run }) {
  const { approval, state } = run
  const steps: { title: ReactNode; text: ReactNode; icon: ReactNode }[] = [
    { title: <>Asked by {run.createdBy}</>, text: <Time at={run.createdAt} />, icon: <IconCheck size={12} /> },
  ]
  if (approval && state === 'awaiting_approval')
    steps.push({
      title: 'Waits for approval',
      text: <Time at={approval.expiresAt} prefix="expires " />,
      icon: <IconClock size={12} />,
    })
  else if (approval)
    steps.push({
      title: (
        <>
          {state === 'rejected' ? 'Rejected' : state === 'withdrawn' ? 'Withdrawn' : state === 'expired' ? 'Expired' : 'Approved'}
          {approval.decidedBy && ` by ${approval.decidedBy}`}
        </>
      ),
      text: (
        <>
          <Time at={approval.decidedAt ?? approval.expiresAt} /> {approval.comment && `«${approval.comment}»`}
        </>
      ),
      icon: ['rejected', 'withdrawn', 'expired'].includes(state) ? <IconX size={12} /> : <IconCheck size={12} />,
    })
  if (run.startedAt) steps.push({ title: 'Started', text: <Time at={run.startedAt} />, icon: <IconCheck size={12} /> })
  if (run.finishedAt && run.startedAt)
    steps.push({
      title: state === 'stopped' ? 'Stopped' : 'Finished',
      text: (
        <>
          <Time at={run.finishedAt} />, took {took(run.startedAt, run.finishedAt)}
        </>
      ),
      icon: <IconCheck size={12} />,
    })
  else if (!isOver(run) && run.startedAt) steps.push({ title: 'Running', text: null, icon: <IconLoader2 size={12} /> })
  if (isOver(run) && run.groups.synced > 0 && run.undoneBy === null)
    steps.push({ title: 'Can be undone', text: 'each group until it changes again', icon: <IconArrowBackUp size={12} /> })
  return (
    <Timeline bulletSize={20} lineWidth={2} active={steps.length} color="var(--ink)">
      {steps.map(({ title, text, icon }, at) => (
        <Timeline.Item key={at} title={<span className="strong">{title}</span>} bullet={icon}>
          <span className="small grey">{text}</span>
        </Timeline.Item>
      ))}
    </Timeline>
  )
}

const took = (from: string, to: string): string => {
  const ms = new Date(to).getTime() - new Date(from).getTime()
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`
}
