import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { Policy } from '../gate/policy.ts'
import { type LoadedPolicy, readPolicy } from '../gate/read-policy.ts'
import { inTime } from './in-time.ts'
import { SharedRuns } from './shared-runs.ts'

/** Where policies lie, as the operator put them there. */
export interface PolicyFiles {
  /** The bytes of a policy; undefined where there is none of the name. Fails where it cannot be read. */
  read(name: string): Promise<Uint8Array | undefined>
  /** In order. */
  names(): Promise<readonly string[]>
}

/** A policy as it lies there now. */
export type SeenPolicy = {
  /** What it is asked under. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly sha256: Sha256
  /** Null where it cannot be followed: a policy that is half understood is none. */
  readonly policy: Policy | null
}

/** A disk that does not answer keeps nobody who asks later. */
const MOST_READ_MS = 1_000

/** A policy, and what it is asked under. */
export type NamedPolicy = LoadedPolicy & { readonly name: string }

/** Policies by their names, read anew for whoever asks (once for all who ask meanwhile), and taken apart again only where their bytes changed. */
export class Policies {
  readonly #files: PolicyFiles
  readonly #known = new Map<string, SeenPolicy>()
  readonly #reading = new SharedRuns<SeenPolicy | undefined>()

  constructor(files: PolicyFiles) {
    this.#files = files
  }

  /** Undefined where there is none of the name. Fails with `answer-late`, and as reading does. */
  async see(name: string): Promise<SeenPolicy | undefined> {
    return await this.#reading.run(name, () => this.#read(name))
  }

  async #read(name: string): Promise<SeenPolicy | undefined> {
    const bytes = await inTime(MOST_READ_MS, () => this.#files.read(name))
    if (bytes === undefined) return undefined
    const known = this.#known.get(name)
    if (known !== undefined && Buffer.from(bytes).equals(known.bytes)) return known
    const { policy, sha256 } = readPolicy(bytes)
    const seen = { name, bytes: Buffer.from(bytes), sha256, policy: policy ?? null }
    this.#known.set(name, seen)
    return seen
  }

  /** Undefined where there is none of the name. Fails with `policy-invalid`, `answer-late`, and as reading does. */
  async find(name: string): Promise<NamedPolicy | undefined> {
    const seen = await this.see(name)
    if (seen === undefined) return undefined
    if (seen.policy === null) throw policyInvalid()
    return { name, policy: seen.policy, sha256: seen.sha256 }
  }

  /** Which there are, and whether each can be followed: one that cannot be read cannot. Fails as listing them does. */
  async standings(): Promise<readonly { readonly name: string; readonly followed: boolean }[]> {
    const names = await this.names()
    return await Promise.all(names.map(async (name) => ({ name, followed: await this.#isFollowed(name) })))
  }

  async #isFollowed(name: string): Promise<boolean> {
    try {
      const seen = await this.see(name)
      return seen?.policy != null
    } catch (error) {
      if (error instanceof Failure) return false
      throw error
    }
  }

  async names(): Promise<readonly string[]> {
    return await this.#files.names()
  }
}

export function policyUnknown(): Failure {
  return new Failure({
    code: 'policy-unknown',
    message: 'there is no such policy',
    hint: 'GET /v1/policies says which there are',
  })
}

export function policyInvalid(): Failure {
  return new Failure({
    code: 'policy-invalid',
    message: 'the policy cannot be followed',
    hint: 'mend it, and see with policy check; nothing is decided by half of a policy',
  })
}
