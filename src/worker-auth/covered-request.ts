import type { Sha256 } from '../../verifier/model/digest.ts'
import { contentDigest } from './content-digest.ts'
import type { Component } from './signature-base.ts'

/** What of a request is signed. */
export type CoveredRequest = {
  /** `GET` or `POST`, in capitals. */
  readonly method: string
  /** Path and query, as they stand in the first line of the request. */
  readonly target: string
  /** Null where the request has none: with the methods of `BODILESS`, and with no others. */
  readonly body: { readonly contentType: string; readonly sha256: Sha256 } | null
}

/** With any other method there is a body, be it empty. */
export const BODILESS: readonly string[] = ['GET', 'HEAD', 'DELETE']

export const LABEL = 'bitwitness'

/** Every component that is covered; neither more nor fewer, and in no other order, are taken. */
export function componentsOf({ method, target, body }: CoveredRequest): readonly Component[] {
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '?' : target.slice(mark)
  const always: readonly Component[] = [
    ['@method', method],
    ['@path', path],
    ['@query', query],
  ]
  return body === null ? always : [...always, ['content-digest', contentDigest(body.sha256)], ['content-type', body.contentType]]
}

/** The member of Signature-Input, without its label. */
export function paramsOf(
  components: readonly Component[],
  { created, nonce, keyId }: { created: number; nonce: string; keyId: string },
): string {
  const names = components.map(([name]) => `"${name}"`).join(' ')
  return `(${names});created=${created};nonce="${nonce}";keyid="${keyId}"`
}
