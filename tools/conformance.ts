import { existsSync } from 'node:fs'
import { runConformance } from '../attestations/verify/testing/conformance.ts'

/**
 * `BITWITNESS_CONFORMANCE=FOLDER node tools/conformance.ts`: the vectors of sigstore-conformance (its folder test/assets/bundle-verify)
 * through our verifier, offline. Ends with `N passed, N failed, N skipped`; exit code 1 if any failed.
 */
const folder = process.env['BITWITNESS_CONFORMANCE']
if (folder === undefined || !existsSync(folder)) {
  console.error('BITWITNESS_CONFORMANCE names no folder: give test/assets/bundle-verify of a checkout of sigstore-conformance')
  process.exitCode = 2
} else {
  const outcomes = runConformance(folder, new Date())
  for (const { name, by, result, reason } of outcomes) if (result === 'failed') console.log(`failed: ${name} by ${by}: ${reason}`)
  const reasons = Map.groupBy(outcomes, ({ result, reason }) => `${result}: ${reason}`)
  for (const reason of [...reasons.keys()].toSorted()) console.log(`${String(reasons.get(reason)?.length).padStart(4)} ${reason}`)
  const count = (wanted: string): number => outcomes.filter(({ result }) => result === wanted).length
  console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`)
  process.exitCode = count('failed') === 0 && count('passed') > 0 ? 0 : 1
}
