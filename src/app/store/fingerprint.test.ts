import { expect, it } from 'vitest'
import { parseSha256 } from '../../../verifier/model/digest.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Submission } from './records.ts'

const digest = (digit: string) => parseSha256(digit.repeat(64))
const claim = { kind: 'file', name: null, sha256: digest('a'), location: null } as const
const submission: Submission = {
  ownerId: 'owner',
  source: { kind: 'git', url: 'https://git.example/app', commit: 'main', path: '.' },
  upload: null,
  claims: [claim],
  lock: null,
  inputs: null,
  builder: null,
  attempts: 2,
  maxAgeSeconds: null,
  trusted: true,
  callbackUrl: null,
}

it('a submission is another one by each thing that it asks for, and not by where it is answered', () => {
  const { source } = submission
  if (source.kind !== 'git') throw new Error('not git')
  const others: Partial<Submission>[] = [
    { ownerId: 'stranger' },
    { source: { ...source, url: 'https://git.example/app2' } },
    { source: { ...source, commit: 'next' } },
    { source: { ...source, path: 'image' } },
    { source: { kind: 'archive', name: 'https://git.example/app', path: '.' } },
    { upload: digest('b') },
    { claims: [] },
    { claims: [claim, claim] },
    { claims: [{ ...claim, sha256: digest('b') }] },
    { claims: [{ ...claim, kind: 'oci-manifest' }] },
    { claims: [{ ...claim, name: 'image' }] },
    { claims: [{ ...claim, location: 'image' }] },
    { lock: digest('b') },
    { inputs: digest('b') },
    { builder: digest('b') },
    { attempts: 3 },
  ]
  const all = [submission, ...others.map((other) => ({ ...submission, ...other }))].map(fingerprintOf)
  expect(new Set(all).size).toBe(others.length + 1)
  for (const same of [{ callbackUrl: 'https://else.example' }, { maxAgeSeconds: 5 }, { trusted: false }])
    expect(fingerprintOf({ ...submission, ...same })).toBe(fingerprintOf(submission))
})
