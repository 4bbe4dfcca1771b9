import { createHash } from 'node:crypto'
import { keccak_256 as keccak256 } from '@noble/hashes/sha3'
import { z } from 'zod'
import { Failure } from '../../../verifier/model/failure.ts'
import { parseStrictJson } from '../../../verifier/model/strict-json.ts'
import type { BootFacts } from './boot-events.ts'

/** What the configuration id of a guest says to what the guest measured of itself. `none`: it was launched without one. */
export type MrConfigAnswer = 'same' | 'other' | 'none' | 'unknown-form' | 'no-document' | 'no-key-provider'

const KINDS: Readonly<Record<string, number>> = { none: 0, 'local-sgx': 1, kms: 2, tpm: 3 }
const DOCUMENT_DOMAIN = Buffer.from('dstack-mr-config-v3:\0')

const KeyProvider = z.object({ name: z.string(), id: z.string().regex(/^(?:[0-9a-fA-F]{2})*$/) })
/** `MrConfigV3` (dstack-types, mr_config.rs), as far as it says what is asked here. */
const ConfigDocument = z.object({ compose_hash: z.string(), app_id: z.string().nullish(), instance_id: z.string().nullish() })

/**
 * Holds the field of a quote by which the host launched a guest against the guest's own measurements: 48 bytes, the first the version (dstack-types,
 * mr_config.rs). `document`: what a third version is the hash of, as the guest shows it. A pure function.
 */
export function compareMrConfig(
  mrConfigId: string,
  facts: Pick<BootFacts, 'appId' | 'composeHash' | 'instanceId' | 'keyProvider'>,
  document: string | null,
): MrConfigAnswer {
  if (/^0*$/.test(mrConfigId)) return 'none'
  if (mrConfigId.startsWith('01')) return same(mrConfigId, '01', facts.composeHash)
  if (mrConfigId.startsWith('02')) {
    const provider = keyProviderOf(facts.keyProvider)
    if (provider === undefined) return 'no-key-provider'
    const parts = [Buffer.from(facts.composeHash, 'hex'), Buffer.from(facts.appId, 'hex'), Buffer.from([provider.kind]), provider.id]
    return same(mrConfigId, '02', Buffer.from(keccak256(Buffer.concat(parts))).toString('hex'))
  }
  if (!mrConfigId.startsWith('03')) return 'unknown-form'
  if (document === null) return 'no-document'
  const hash = createHash('sha256').update(DOCUMENT_DOMAIN).update(document).digest('hex')
  return same(mrConfigId, '03', hash) === 'same' && saysTheSame(document, facts) ? 'same' : 'other'
}

function same(mrConfigId: string, version: string, hash: string): 'same' | 'other' {
  return mrConfigId === `${version}${hash}`.padEnd(96, '0') ? 'same' : 'other'
}

function keyProviderOf(text: string | null): { readonly kind: number; readonly id: Buffer } | undefined {
  const { data } = KeyProvider.safeParse(text === null ? undefined : jsonOf(text))
  const kind = data !== undefined && Object.hasOwn(KINDS, data.name) ? KINDS[data.name] : undefined
  return data === undefined || kind === undefined ? undefined : { kind, id: Buffer.from(data.id, 'hex') }
}

function saysTheSame(
  document: string,
  { appId, composeHash, instanceId }: Pick<BootFacts, 'appId' | 'composeHash' | 'instanceId'>,
): boolean {
  const { data } = ConfigDocument.safeParse(jsonOf(document))
  if (data === undefined || data.compose_hash.toLowerCase() !== composeHash) return false
  const agrees = (said: string | null | undefined, is: string | null): boolean => said == null || said === '' || said.toLowerCase() === is
  return agrees(data.app_id, appId) && agrees(data.instance_id, instanceId)
}

/** Two readers could read a document that says something twice as two. */
function jsonOf(text: string): unknown {
  try {
    return parseStrictJson(Buffer.from(text))
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
