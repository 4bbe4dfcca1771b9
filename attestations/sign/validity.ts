import { Failure } from '../../verifier/model/failure.ts'

/** When a certificate's key may sign; null: a key without a certificate has no such time. */
export type Validity = { readonly from: Date; readonly to: Date } | null

/** Refuses a time at which the certificate was not valid: no verifier would take the two together. */
export function requireWithin(validity: Validity, time: Date): void {
  if (validity === null || (validity.from <= time && time <= validity.to)) return
  throw new Failure({
    code: 'signing-time-outside',
    message: 'a timestamp or log entry is of a time at which the certificate is not valid',
    hint: 'compare the clocks of Fulcio, Rekor and the timestamp authority',
    audience: 'operator',
    retryable: true,
  })
}
