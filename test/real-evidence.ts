import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './repository.ts'

const folder = process.env['BITWITNESS_DSTACK_EVIDENCE'] ?? path.join(root, '..', 'shared', 'fixtures', 'dstack')

/** Why a test of it is skipped. */
export const NO_EVIDENCE = 'no evidence of real machines is at hand: BITWITNESS_DSTACK_EVIDENCE names a folder of it'

/** Evidence of real machines, which is not part of the repository; undefined where it is not at hand. */
export function realEvidence(): ((name: string) => Buffer) | undefined {
  if (existsSync(path.join(folder, 'report.json'))) return (name) => readFileSync(path.join(folder, name))
  return undefined
}
