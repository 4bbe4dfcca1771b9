/**
 * Why an attestation is rejected: for each code what is wrong, and what to do. A rejection is an answer and no Failure; the codes are
 * stable all the same and stand in docs/errors.md. No word of the bundle is repeated in them.
 */
const ASK = 'take the bundle again from who made it; do not rely on this one'
const ROOT = 'give the trusted root of the Sigstore instance that signed it: --trusted-root FILE'

export const REJECTIONS = {
  'bundle-malformed': ['the bundle is not a well-formed Sigstore bundle', ASK],
  'bundle-too-large': ['the bundle is larger than any attestation', ASK],
  'bundle-too-deep': ['the bundle is nested deeper than any bundle', ASK],
  'bundle-duplicate-key': ['the bundle has a key twice in one object, so that two readers can read two bundles in it', ASK],
  'bundle-media-type': ['the media type is not that of a Sigstore bundle that is known here', ASK],
  'bundle-version-old': [
    'the bundle is of version 0.1, whose log entries need no proof of inclusion',
    'ask its maker for a bundle of version 0.3',
  ],
  'bundle-without-statement': ['the bundle signs bytes and not a statement', 'ask its maker for an attestation'],
  'signature-missing': ['the envelope has no signature', ASK],
  'signatures-several': ['the envelope has more than one signature, and nothing says which one counts', ASK],
  'payload-type-wrong': ['what is signed is not an in-toto statement: the payload type is another', ASK],
  'key-id-wrong': ['the envelope names a key that is not the one that it is checked with', ASK],
  'signer-kind-wrong': [
    'it is signed with a certificate where a key is asked for, or the other way round',
    'ask for what it is signed with: --certificate-identity and --certificate-oidc-issuer, or --key',
  ],
  'identity-mismatch': [
    'the certificate is for somebody else than was asked for',
    'look who signed; a name is compared exactly, to its last character',
  ],
  'issuer-mismatch': [
    'who vouched for the signer (the OIDC issuer) is another than was asked for',
    'look who vouched; issuers are compared exactly, to the last character',
  ],
  'key-unknown': ['it is signed with a key that is none of those that were given', 'compare fingerprints with the signer, out of band'],
  'key-hint-unknown': ['the bundle names another key than the one that it is checked with', ASK],
  'signature-invalid': [
    'the signature does not fit what is signed',
    'do not rely on it: what is signed was changed, or somebody else signed it',
  ],
  'certificate-malformed': ['the certificate cannot be read in one way only', ASK],
  'certificate-not-for-signing': ['the certificate is not one for signing', ASK],
  'certificate-untrusted': ['the certificate does not come from an authority of the trusted root', ROOT],
  'certificate-expired': ['the certificate was not valid when it was signed', ASK],
  'certificate-timestamp-missing': ['no certificate log vouches that the certificate was made public', ROOT],
  'certificate-timestamp-invalid': ['what a certificate log vouches for is not this certificate, or the log is not a trusted one', ROOT],
  'timestamp-missing': [
    'nothing but the signer says when it was signed: too few timestamps and log times',
    'ask its maker for one with a timestamp',
  ],
  'timestamp-malformed': ['a timestamp cannot be read, or the authority refused to give one', ASK],
  'timestamp-duplicate': ['a timestamp is there twice', ASK],
  'timestamp-invalid': ['a timestamp is not for this signature, or not from an authority of the trusted root', ROOT],
  'timestamp-in-future': ['it was signed in the future', 'set the clock of this machine'],
  'log-entry-missing': ['there are too few entries of transparency logs', 'ask its maker for one that is logged'],
  'log-entry-duplicate': ['a log entry is there twice', ASK],
  'log-unknown': ['a log entry is from a log that the trusted root does not have', ROOT],
  'log-key-not-valid': ["the log's key was not valid at that time", ROOT],
  'log-entry-mismatch': ['a log entry is about something else than this bundle', ASK],
  'log-entry-of-another-key': ['a log entry is about another key or certificate than the bundle has', ASK],
  'log-promise-invalid': ["the log's signature on an entry does not fit the entry", ASK],
  'log-proof-missing': ['nothing proves that an entry is in its log', ASK],
  'log-proof-invalid': ['the proof that an entry is in its log does not hold', ASK],
  'log-index-wrong': ['a log entry has one index and its proof another', ASK],
  'predicate-type-wrong': [
    'the statement is of another kind than was asked for',
    'look what it says; --type asks for another kind, and each kind means something else',
  ],
  'subject-mismatch': [
    'the statement is not about this artifact: no subject has its sha256',
    'check that the artifact is the one that you mean; digests other than sha256 count for nothing',
  ],
  'predicate-malformed': ['what the statement says has not the form of its kind', ASK],
  'predicate-contradicts-type': [
    'the statement says something else than its kind stands for',
    'do not rely on it: it passes one verdict off as another',
  ],
  'statement-expired': ['it is older than was asked for', 'ask for a newer one, or have it rebuilt'],
} as const satisfies Readonly<Record<string, readonly [message: string, hint: string]>>

export type RejectionCode = keyof typeof REJECTIONS
