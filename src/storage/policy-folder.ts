import { access, constants, readdir } from 'node:fs/promises'
import path from 'node:path'
import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { Failure } from '../../verifier/model/failure.ts'

const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const MOST_BYTES = 1 << 20
const MOST_POLICIES = 1000

/** A folder of policies, `NAME.yaml` each, which the operator changes at any time. Null: there is none. */
export class PolicyFolder {
  readonly #folder: string | null

  private constructor(folder: string | null) {
    this.#folder = folder
  }

  /** Fails with `policies-unreadable` where a folder is named that is not there, or cannot be listed. */
  static async open(folder: string | null): Promise<PolicyFolder> {
    if (folder === null) return new PolicyFolder(null)
    try {
      await readdir(folder)
      await access(folder, constants.X_OK)
    } catch (cause) {
      throw unreadable(cause)
    }
    return new PolicyFolder(folder)
  }

  /** The bytes of a policy; undefined where there is none of the name. Fails with `policy-unread`. */
  async read(name: string): Promise<Uint8Array | undefined> {
    if (this.#folder === null || name.length > 64 || !NAME.test(name)) return undefined
    const read = await readSmallFile(path.join(this.#folder, `${name}.yaml`), { maxBytes: MOST_BYTES })
    if (read.bytes !== null) return read.bytes
    if (read.why === 'absent') return undefined
    throw unread(read.cause)
  }

  /** Names of policies, in order. Fails with `policy-unread`. */
  async names(): Promise<readonly string[]> {
    if (this.#folder === null) return []
    const files = await readdir(this.#folder).catch((cause: unknown) => Promise.reject(unread(cause)))
    const names = files.flatMap((file) => (file.endsWith('.yaml') && NAME.test(file.slice(0, -5)) ? [file.slice(0, -5)] : []))
    return names.toSorted().slice(0, MOST_POLICIES)
  }
}

function unreadable(cause: unknown): Failure {
  return new Failure({
    code: 'policies-unreadable',
    message: 'the folder of policies is not there, or cannot be read',
    hint: 'check that BITWITNESS_POLICIES names a folder that this user may list and read; it may be empty',
    cause,
  })
}

function unread(cause: unknown): Failure {
  return new Failure({
    code: 'policy-unread',
    message: 'a policy of the service cannot be read',
    hint: 'look at the folder that BITWITNESS_POLICIES names, and at who may read it',
    audience: 'operator',
    cause,
  })
}
