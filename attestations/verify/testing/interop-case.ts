import type { CheckName } from '../check.ts'
import type { AttestationPolicy } from '../policy.ts'
import type { CaseWorld } from './case-world.ts'

/** What a tool says to a bundle. */
export type Answer = 'accepts' | 'refuses'

/** What a case gives to each tool. What is not there is as it should be: the name, the issuer, the kind, the trusted root, the clock. */
export type Made = Partial<Pick<AttestationPolicy, 'signer' | 'predicateType' | 'maxAgeSeconds' | 'thresholds'>> & {
  /** JSON text, or an object to be written as such. */
  readonly bundle: string | object
  readonly root?: object
  readonly now?: Date
}

/** One line of the table in docs/verifying.md, and how its bundle is made. */
export type InteropCase = {
  readonly what: string
  /** How it is signed, which decides what each tool is asked. */
  readonly signed: 'certificate' | 'key' | 'key and timestamp' | 'key and log'
  /** Null where ours verifies it. */
  readonly ours: { readonly check: CheckName; readonly code: string } | null
  readonly cosign: Answer
  readonly sigstoreGo: Answer
  /** Where the answers differ: why. */
  readonly why?: string
  readonly make: (world: CaseWorld) => Promise<Made>
}

/** Refused by all three. */
export function refused(check: CheckName, code: string): Pick<InteropCase, 'ours' | 'cosign' | 'sigstoreGo'> {
  return { ours: { check, code }, cosign: 'refuses', sigstoreGo: 'refuses' }
}

/** Refused by ours alone, or by ours and one other. */
export function onlyOurs(check: CheckName, code: string, why: string, also: Partial<Pick<InteropCase, 'cosign' | 'sigstoreGo'>> = {}) {
  return { ours: { check, code }, cosign: 'accepts', sigstoreGo: 'accepts', why, ...also } as const
}
