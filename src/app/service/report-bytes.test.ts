import { describe, expect, it } from 'vitest'
import { attemptWithoutRun } from '../../../verifier/model/attempt.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import { parseSha256 } from '../../../verifier/model/digest.ts'
import { bytesOfReport } from './report-bytes.ts'
import type { AttemptReport } from './worker-protocol.ts'

const LOG = parseSha256('a'.repeat(64))

function report(): AttemptReport {
  const reason = { code: 'mkosi-failed', message: 'm', data: {} }
  return {
    schema: 'bitwitness/attempt-report/v1',
    lease: '01a21fd4-3858-7cef-9a65-2082aa475bfe',
    attempt: { ...attemptWithoutRun({ number: 1, mode: 'live', outcome: 'build-failed', reason }), log: LOG },
    treeDigest: null,
    builder: null,
    indexes: [],
    tool: { name: 'bitwitness', version: '0.0.0' },
  }
}

describe('a log that a report names', () => {
  const named = (size: number) => bytesOfReport(report(), { size: async () => size } as unknown as BlobStore, undefined)

  it('is kept up to a size', async () => {
    expect((await named(2 ** 30)).referred).toEqual([{ sha256: LOG, size: 2 ** 30, role: 'log' }])
    await expect(named(2 ** 30 + 1)).rejects.toMatchObject({ code: 'report-contradictory', data: { what: 'log' } })
  })
})
