import { digest } from '../../testing/arbitrary-report.ts'
import { subjectOf } from '../statement.ts'
import type { VsaInput } from '../vsa.ts'

/** What a gate would hand over, allowed at a tier or denied. */
export function decision(passed: VsaInput['passed']): VsaInput {
  return {
    verifier: { id: 'https://rebuild.example/gate', version: '0.1.0' },
    timeVerified: '2026-11-24T12:00:00.000Z',
    subjects: [subjectOf('image.tar.oci', digest('a'))],
    resourceUri: `oci://registry.example/app@sha256:${'a'.repeat(64)}`,
    policy: { uri: 'https://rebuild.example/policies/production.yaml', sha256: digest('b') },
    inputAttestations: passed === null ? [] : [{ uri: 'https://rebuild.example/v1/attestations/1', sha256: digest('c') }],
    passed,
  }
}
