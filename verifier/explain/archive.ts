import type { Finding } from '../model/finding.ts'
import type { ArchiveDifferences, ArchiveRule } from './rule.ts'
import { compression } from './rules/compression.ts'
import { hardLinkLeader } from './rules/hard-link-leader.ts'
import { memberOrder } from './rules/member-order.ts'
import { sparsePid } from './rules/sparse-pid.ts'
import { tarEncoding } from './rules/tar-encoding.ts'
import { trailingBytes } from './rules/trailing-bytes.ts'

export const ARCHIVE_RULES: readonly ArchiveRule[] = [memberOrder, hardLinkLeader, tarEncoding, sparsePid, compression, trailingBytes]

/** One finding for each way in which two archives differ apart from the tree in them. */
export function archiveFindings(archive: ArchiveDifferences): Finding[] {
  return ARCHIVE_RULES.flatMap((rule) => {
    const evidence = rule.explain(archive)
    if (evidence === null) return []
    return [
      { rule: rule.id, severity: rule.severity, path: null, line: null, message: rule.text, evidence: [...evidence], remedy: rule.remedy },
    ]
  })
}
