import { Command } from 'commander'
import { exportAudit } from './audit/export.ts'
import { auditHead } from './audit/head.ts'
import { listAudit } from './audit/list.ts'
import { showAudit } from './audit/show.ts'
import { verifyAudit } from './audit/verify.ts'

export const audit = new Command('audit')
  .description('the log of every change: {list|show|export|head|verify}')
  .addCommand(listAudit, { isDefault: true })
  .addCommand(showAudit)
  .addCommand(exportAudit)
  .addCommand(auditHead)
  .addCommand(verifyAudit)
