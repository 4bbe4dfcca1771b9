import { readKeys } from '../../../attestations/verify/key-names.ts'
import { requirePolicy } from '../../../attestations/verify/policy.ts'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { utf8Text } from '../../../verifier/model/utf8-text.ts'
import { readPlainYaml, type YamlProblem } from '../../../verifier/recipe/plain-yaml.ts'
import { Policy } from './policy.ts'
import { signerPolicy } from './signer-policy.ts'

/** A policy and the bytes that it is known by. */
export type LoadedPolicy = { readonly policy: Policy; readonly sha256: Sha256 }

export type PolicyReading = {
  readonly sha256: Sha256
  /** Undefined where there is a problem: a policy that is half understood is none. */
  readonly policy: Policy | undefined
  readonly problems: readonly YamlProblem[]
}

/** Bytes of a policy file, at most. */
export const MOST_POLICY_BYTES = 1 << 20

/** Reads a policy: plain YAML, no key that is not known, no list empty, no name that leads nowhere. Never throws. */
export function readPolicy(bytes: Uint8Array): PolicyReading {
  const sha256 = digestOf(bytes)
  const text = utf8Text(bytes)
  if (text === undefined || bytes.length > MOST_POLICY_BYTES)
    return { sha256, policy: undefined, problems: [{ line: null, message: text === undefined ? 'it is not UTF-8' : 'it is too large' }] }
  const { data, problems } = readPlainYaml(text, Policy)
  if (data === null) return { sha256, policy: undefined, problems }
  const inner = [...danglingNames(data), ...badSigners(data)].map((message) => ({ line: null, message }))
  return { sha256, policy: inner.length === 0 ? data : undefined, problems: inner }
}

function* danglingNames({ sources, images, apps, osImages }: Policy): Iterable<string> {
  for (const [name, { source }] of Object.entries(images))
    if (!Object.hasOwn(sources, source)) yield `images names a source that is not in sources: ${source} (for image ${shown(name)})`
  for (const [id, app] of Object.entries(apps))
    for (const image of app.images) if (!Object.hasOwn(images, image)) yield `apps.${id} names an image that is not in images`
  for (const [hash, from] of Object.entries(osImages))
    if ('source' in from && !Object.hasOwn(sources, from.source))
      yield `osImages.${hash} names a source that is not in sources: ${from.source}`
}

function* badSigners({ signers }: Policy): Iterable<string> {
  for (const [index, signer] of signers.entries()) {
    try {
      requirePolicy(signerPolicy(signer))
      if ('key' in signer) readKeys([signer.key])
    } catch {
      yield `signers.${index} is none: a public key (PEM, P-256), or an issuer and a name with a time at least`
    }
  }
}

function shown(name: string): string {
  return /^[\x21-\x7e]{1,100}$/.test(name) ? name : '…'
}
