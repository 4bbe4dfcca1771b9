import type { Witness } from '@sigstore/sign'
import { buildBundle } from './envelope-builder.ts'
import { type Certified, certify } from './fulcio.ts'
import { PATIENCE, type Patience } from './http-answer.ts'
import { type Claims, type IdentityToken, readToken, type TokenSource } from './identity-token.ts'
import { refuseOwner, type SignerNames } from './owner-rule.ts'
import { rekorV1Witness } from './rekor-v1.ts'
import { rekorV2Witness } from './rekor-v2.ts'
import { checkBundle, checkTrust, type Trusted } from './self-check.ts'
import { type SignOptions, type StatementSigner, timed } from './statement-signer.ts'
import { timestampWitness } from './timestamp.ts'

export type SigstoreOptions = {
  readonly fulcio: URL
  /** An entry of version 2 has no time of its own, so that it is never made without a timestamp. */
  readonly log:
    | { readonly version: 1; readonly rekor: URL; readonly tsa: URL | null }
    | { readonly version: 2; readonly rekor: URL; readonly tsa: URL }
  readonly token: TokenSource
  /** Bundles that do not verify with it are not given out. */
  readonly trusted?: Trusted | null
  readonly patience?: Patience
  readonly now?: () => Date
}

/**
 * Signs with a key that Fulcio certifies for the identity of a token, both new at each signing; has the signature timestamped and then
 * logged. The owner rule is applied to the token before Fulcio is asked, since certificates are public too, and then to the certificate.
 */
export function sigstoreSigner(o: SigstoreOptions): StatementSigner {
  const { patience = PATIENCE, now = () => new Date(), trusted = null } = o
  const token = async (signal: AbortSignal): Promise<IdentityToken> => {
    signal.throwIfAborted()
    return readToken(await o.token(signal), now())
  }
  return {
    async identity(signal) {
      const { claims } = await token(signal)
      return { kind: 'sigstore', issuer: claims.iss, subjectAlternativeName: expectedName(claims) }
    },
    async sign(statement, options) {
      const { signal, onStage, owner, repository = null } = options
      const read = await timed('token', onStage, () => token(signal))
      refuseOwner(namesOfClaims(read.claims), { owner, repository })
      const certified = await timed('fulcio', onStage, () => certify({ fulcio: o.fulcio, token: read, patience, signal }))
      refuseOwner(namesOfCertificate(certified), { owner, repository })
      const witnesses = witnessesFor(o, certified, { signal, onStage, patience })
      const bundle = await buildBundle(statement, certified.signer, witnesses)
      const publicKeyPem = certified.certificate.publicKey.export({ type: 'spki', format: 'pem' }).toString()
      checkBundle(bundle, { statement, publicKeyPem, logEntries: 1, timestamps: o.log.tsa === null ? 0 : 1 })
      if (trusted !== null) checkTrust(bundle, trusted, null)
      return bundle
    },
  }
}

/** The timestamp comes first: an entry in a public log cannot be taken back where the timestamp then fails. */
function witnessesFor(
  { log }: SigstoreOptions,
  { certificate }: Certified,
  o: { signal: AbortSignal; patience: Patience; onStage: SignOptions['onStage'] },
): Witness[] {
  const validity = { from: certificate.validFromDate, to: certificate.validToDate }
  const { signal, patience } = o
  const rekor = log.version === 1 ? rekorV1Witness({ ...log, validity, patience, signal }) : rekorV2Witness({ ...log, patience, signal })
  const witnesses: Witness[] = []
  if (log.tsa !== null) {
    const timestamp = timestampWitness({ tsa: log.tsa, validity, patience, signal })
    witnesses.push({ testify: (...content) => timed('tsa', o.onStage, () => timestamp.testify(...content)) })
  }
  witnesses.push({ testify: (...content) => timed('rekor', o.onStage, () => rekor.testify(...content)) })
  return witnesses
}

/** What Fulcio writes into a certificate by the issuers' types `email`, `github-workflow` and `uri`; others it may word differently. */
function expectedName({ email, job_workflow_ref, sub }: Claims): string {
  return email ?? (job_workflow_ref === undefined ? (sub ?? '') : `https://github.com/${job_workflow_ref}`)
}

function namesOfClaims(claims: Claims): SignerNames {
  const { iss, sub, repository, repository_owner } = claims
  // Servers of GitHub's kind are their own issuers; github.com has another host for it.
  const host = iss === 'https://token.actions.githubusercontent.com' ? 'github.com' : URL.parse(iss)?.host
  const repositories = [repository, repository_owner].flatMap((name) => (name === undefined || !host ? [] : [`https://${host}/${name}`]))
  return { identities: [expectedName(claims), ...(sub === undefined ? [] : [sub])], repositories }
}

function namesOfCertificate({ identity }: Certified): SignerNames {
  const repositories = [identity.sourceRepository, identity.sourceRepositoryOwner].filter((name) => name !== null)
  return { identities: [identity.subjectAlternativeName], repositories }
}
