import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runConformance } from './testing/conformance.ts'

const vectors = path.join(import.meta.dirname, 'testdata', 'conformance')
const skip = 'a signature over bytes is verified with the bytes, and not with their digest'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-conformance-'))
})
afterEach(() => rm(folder, { recursive: true }))

const table = (at: string): string[] =>
  runConformance(at, new Date()).map(({ name, by, result, reason }) => `${name} ${by}: ${result}, ${reason}`)

it('runs each case by path and by digest, and says why', () => {
  expect(table(vectors)).toEqual([
    'bytes-other_fail path: passed, signature-invalid',
    `bytes-other_fail digest: skipped, ${skip}`,
    'bytes-rekor2 path: passed, verified',
    `bytes-rekor2 digest: skipped, ${skip}`,
    'statement-key path: passed, verified',
    'statement-key digest: passed, verified',
    'statement-key-other_fail path: passed, key-unknown',
    'statement-key-other_fail digest: passed, key-unknown',
    'statement-other-signer_fail path: passed, identity-mismatch',
    'statement-other-signer_fail digest: passed, identity-mismatch',
    'statement-other-subject_fail path: passed, subject-mismatch',
    'statement-other-subject_fail digest: passed, subject-mismatch',
    'statement-rekor1 path: passed, verified',
    'statement-rekor1 digest: passed, verified',
    'statement-rekor2 path: passed, verified',
    'statement-rekor2 digest: passed, verified',
    'statement-stranger-log_fail path: passed, log-unknown',
    'statement-stranger-log_fail digest: passed, log-unknown',
  ])
})

it('finds a good bundle that should have been refused, and a bad one that should not', async () => {
  await cp(vectors, folder, { recursive: true })
  await rename(path.join(folder, 'statement-key'), path.join(folder, 'statement-key_fail'))
  await rename(path.join(folder, 'statement-other-subject_fail'), path.join(folder, 'statement-other-subject'))
  const { exitCode, stdout } = await conformance({ BITWITNESS_CONFORMANCE: folder })
  expect(stdout.split('\n').filter((line) => line.startsWith('failed'))).toEqual([
    'failed: statement-key_fail by path: verified',
    'failed: statement-key_fail by digest: verified',
    'failed: statement-other-subject by path: subject-mismatch',
    'failed: statement-other-subject by digest: subject-mismatch',
  ])
  expect([exitCode, stdout.split('\n').at(-1)]).toEqual([1, '12 passed, 4 failed, 2 skipped'])
})

it('passes for nothing where there is no case, and asks for a folder', async () => {
  expect(await conformance({ BITWITNESS_CONFORMANCE: folder })).toMatchObject({ exitCode: 1, stdout: '0 passed, 0 failed, 0 skipped' })
  expect((await conformance({})).exitCode).toBe(2)
})

function conformance(env: Readonly<Record<string, string>>) {
  const tool = path.join(import.meta.dirname, '../../tools/conformance.ts')
  return execa(process.execPath, [tool], { env, reject: false })
}
