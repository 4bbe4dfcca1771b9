import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Tools } from './other-tools.ts'

const folder = path.join(import.meta.dirname, '../../../.tools/verifiers/bin')

/** cosign and sigstore-go: those that the environment names, or what `bootstrap cosign` fetched; undefined where there are none. */
export function fetchedTools(): Tools | undefined {
  const cosign = process.env['COSIGN'] ?? path.join(folder, 'cosign')
  const sigstoreGo = process.env['SIGSTORE_GO'] ?? path.join(folder, 'sigstore-go-verification')
  return existsSync(cosign) && existsSync(sigstoreGo) ? { cosign, sigstoreGo } : undefined
}

export const NO_TOOLS = 'cosign and sigstore-go are not here: make interop fetches them'
