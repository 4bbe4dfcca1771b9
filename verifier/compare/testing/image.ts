import type { Artifact, Attempt } from '../../model/attempt.ts'
import type { Claim } from '../../model/claim.ts'
import { Sha256 } from '../../model/digest.ts'
import type { ImageConfig } from '../../model/recipe.ts'

export const NO_CONFIG: ImageConfig = { entrypoint: [], cmd: [], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} }

export const FULL_CONFIG: ImageConfig = {
  entrypoint: ['/usr/bin/node'],
  cmd: ['/app/server.js'],
  workingDir: '/app',
  user: '1000:1000',
  env: ['NODE_ENV=production', 'PORT=3000'],
  exposedPorts: ['3000/tcp'],
  labels: { 'org.example.b': '2', 'org.example.a': '1' },
}

/** A digest that says in a test which it is. */
export function digest(letter: string): Sha256 {
  return Sha256.parse(letter.repeat(64))
}

export function artifact(fields: Partial<Artifact> & { readonly sha256: Sha256 }): Artifact {
  const written = { name: 'image.tar', sha256: digest('0'), size: 1, compression: 'none' as const }
  return { name: 'image.tar', format: 'tar', size: 1, treeManifest: null, oci: null, written, notComparable: null, ...fields }
}

export function attempt(number: number, artifacts: readonly Artifact[], outcome: Attempt['outcome'] = 'built'): Attempt {
  return {
    number,
    mode: number === 1 ? 'live' : 'replay',
    outcome,
    limit: null,
    reason: null,
    retried: [],
    stages: [],
    artifacts: [...artifacts],
    lock: null,
    log: null,
    builder: null,
    sandbox: null,
    usage: null,
  }
}

export function claim(sha256: Sha256, fields: Partial<Claim> = {}): Claim {
  return { kind: 'file', name: null, sha256, location: null, ...fields }
}
