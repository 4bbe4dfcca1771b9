import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ARTIFACT, caseWorld, pemOf } from '../attestations/verify/testing/case-world.ts'
import { SIGNER } from '../attestations/verify/testing/paper-sigstore.ts'
import { root } from './repository.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-offline-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('verifies with no network at all, no home and no engine', async ({ skip }) => {
  const isolated = await execa('unshare', ['-n', 'true'], { reject: false })
  if (isolated.exitCode !== 0) return skip('a network namespace needs root')
  const world = await caseWorld()
  await writeFile(path.join(folder, 'artifact'), ARTIFACT)
  await writeFile(path.join(folder, 'root.json'), JSON.stringify(world.sigstore.root()))
  await writeFile(path.join(folder, 'key.pub'), pemOf(world.key))
  await writeFile(path.join(folder, 'keyless.json'), JSON.stringify(await world.keyless()))
  await writeFile(path.join(folder, 'keyed.json'), JSON.stringify(await world.keyed()))
  const verify = (...args: readonly string[]) =>
    execa(
      'unshare',
      ['-n', process.execPath, path.join(root, 'src/bin/main.ts'), 'attestation', 'verify', ...args, '--artifact', 'artifact'],
      {
        cwd: folder,
        reject: false,
        extendEnv: false,
        env: { HOME: path.join(folder, 'home'), PATH: process.env['PATH'] ?? '' },
      },
    )
  const certificate = ['--certificate-identity', SIGNER.subjectAlternativeName, '--certificate-oidc-issuer', SIGNER.issuer]
  const said = [
    await verify('keyless.json', '--trusted-root', 'root.json', ...certificate),
    await verify('keyed.json', '--key', 'key.pub'),
    // Of the public instance, whose root comes with the program.
    await verify('keyless.json', ...certificate),
    await verify('https://witness.example/bundles', '--key', 'key.pub'),
  ].map(({ exitCode, stdout, stderr }) => [exitCode, stdout.split('\n')[0], stderr.split('\n')[0]])
  expect(said).toEqual([
    [0, 'verified', ''],
    [0, 'verified', ''],
    [1, 'rejected: a log entry is from a log that the trusted root does not have (log-unknown)', ''],
    [3, '', 'bitwitness: it could not be fetched, or broke off (download-failed)'],
  ])
  expect(await readdir(folder)).not.toContain('home')
})
