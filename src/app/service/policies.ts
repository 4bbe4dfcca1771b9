import { Failure } from '../../../verifier/model/failure.ts'
import { type LoadedPolicy, readPolicy } from '../gate/read-policy.ts'

/** Where policies lie, as the operator put them there. */
export interface PolicyFiles {
  /** The bytes of a policy; undefined where there is none of the name. Fails where it cannot be read. */
  read(name: string): Promise<Uint8Array | undefined>
  /** In order. */
  names(): Promise<readonly string[]>
}

/** Policies by their names, read anew each time that they are asked, and taken apart again only where their bytes changed. */
export class Policies {
  readonly #files: PolicyFiles
  readonly #known = new Map<string, { readonly bytes: Buffer; readonly policy: LoadedPolicy }>()

  constructor(files: PolicyFiles) {
    this.#files = files
  }

  /** Undefined where there is none of the name. Fails with `policy-invalid`. */
  async find(name: string): Promise<LoadedPolicy | undefined> {
    const bytes = await this.#files.read(name)
    if (bytes === undefined) return undefined
    const known = this.#known.get(name)
    if (known?.bytes.equals(bytes) === true) return known.policy
    const { policy, sha256 } = readPolicy(bytes)
    if (policy === undefined) throw invalid()
    const loaded = { policy, sha256 }
    this.#known.set(name, { bytes: Buffer.from(bytes), policy: loaded })
    return loaded
  }

  async names(): Promise<readonly string[]> {
    return await this.#files.names()
  }
}

function invalid(): Failure {
  return new Failure({
    code: 'policy-invalid',
    message: 'the policy cannot be followed',
    hint: 'mend it, and see with policy check; nothing is decided by half of a policy',
    audience: 'operator',
  })
}
