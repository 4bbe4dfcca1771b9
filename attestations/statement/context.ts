import type { Sha256 } from '../../verifier/model/digest.ts'

/** What a statement says that the report does not: who asked, who ran it, and under which name. */
export type StatementContext = {
  /** First part of every builder id: an absolute URI of the operator, or `keyBuilderBase`. */
  readonly builderBase: string
  /** Who submitted, as authenticated; null: nobody asked, as on a laptop. */
  readonly owner: string | null
  readonly operator: string | null
  readonly worker: string | null
  /** URI or UUID of the verification. */
  readonly invocationId: string
  /** sha256 of the exact bytes of the report document. */
  readonly reportDigest: Sha256
}
