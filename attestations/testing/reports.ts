import { readFileSync } from 'node:fs'
import path from 'node:path'
import { VerificationReport } from '../../verifier/model/report.ts'
import type { StatementContext } from '../statement/context.ts'
import { digest } from './arbitrary-report.ts'

/** A golden report of verifier/model/testdata: `reproduced`, `mismatch`, `build-failed`, `refused`, `cancelled`. */
export function goldenReport(name: string): VerificationReport {
  const file = path.join(import.meta.dirname, '../../verifier/model/testdata', `verification-${name}.json`)
  return VerificationReport.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** The mismatch, found equal once the order of members was undone. */
export function contentEqualReport(): VerificationReport {
  const report = goldenReport('mismatch')
  const undone = { result: 'equal', tier: 'content-equal', transformations: ['tar-member-order', 'compression'] } as const
  const comparisons = report.comparisons.map((one) =>
    one.claim === null ? one : { ...one, ...undone, transformations: [...undone.transformations] },
  )
  return { ...report, verdict: 'reproduced', tier: 'content-equal', comparisons }
}

/** The reproduction, with a second attempt that gave other bytes. */
export function nondeterministicReport(): VerificationReport {
  const report = goldenReport('reproduced')
  const other = digest('7')
  const [first, second] = report.attempts
  if (first === undefined || second === undefined) throw new Error('the golden report has two attempts')
  const artifacts = second.artifacts.map((one) => ({ ...one, sha256: other, written: { ...one.written, sha256: other } }))
  const comparisons = report.comparisons.map((one): VerificationReport['comparisons'][number] => {
    const left = one.left.attempt === 2 ? { ...one.left, sha256: other } : one.left
    if (one.claim === null && one.right !== null) return { ...one, right: { ...one.right, sha256: other }, result: 'different', tier: null }
    return one.claim === 0 && left.attempt === 2 ? { ...one, left, result: 'different', tier: null } : { ...one, left }
  })
  return { ...report, verdict: 'nondeterministic', tier: null, attempts: [first, { ...second, artifacts }], comparisons }
}

export const LAPTOP: StatementContext = {
  builderBase: `bitwitness:builder/key/${'5'.repeat(64)}`,
  owner: null,
  operator: null,
  worker: null,
  invocationId: 'urn:uuid:0b6a4b5e-9d0e-4c57-8d3c-1f6f7a1f2b3c',
  reportDigest: digest('6'),
}

export const SERVICE: StatementContext = {
  ...LAPTOP,
  builderBase: 'https://rebuild.example/builder',
  owner: 'https://git.example/app',
  operator: 'example',
  worker: 'worker-1',
}
