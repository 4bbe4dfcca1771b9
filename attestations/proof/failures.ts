import { Failure } from '../../verifier/model/failure.ts'

const AGAIN = 'take the proof again from who made it; do not rely on this one'

/** Everything that a proof can be refused for; what a tar, JSON, a report, a statement, a lock or a trusted root is refused for comes beside it. */
const REFUSALS = {
  'proof-not-a-proof': ['the file is no proof: it does not begin with the index of one', 'give a file that bitwitness export wrote'],
  'proof-version-unknown': ['the proof is of a version that is not known here', 'a newer Bitwitness may read it'],
  'proof-index-malformed': ['the index of the proof has not the form of one, or is written in another way than indexes are', AGAIN],
  'proof-index-too-large': ['the index of the proof is larger than any', AGAIN],
  'proof-index-differs': ['the index of the proof says something else than its members', AGAIN],
  'proof-too-large': ['the proof holds more than is taken', AGAIN],
  'proof-name-wrong': ['a member of the proof has a name that its role does not have', AGAIN],
  'proof-member-duplicate': ['the index of the proof names a member twice', AGAIN],
  'proof-member-missing': ['the proof lacks a member that its index names', AGAIN],
  'proof-member-unlisted': ['the proof has a member that its index does not name', AGAIN],
  'proof-member-order': ['the members of the proof lie in another order than its index says', AGAIN],
  'proof-member-not-file': ['a member of the proof is a link, a folder or a device', AGAIN],
  'proof-member-size': ['a member of the proof has another size than its index says', AGAIN],
  'proof-member-differs': ['a member of the proof has other bytes than its index says', AGAIN],
  'proof-member-too-large': ['a member of the proof is larger than its role allows', AGAIN],
  'proof-header-other': ['a header in the proof is written in another way than proofs are', AGAIN],
  'proof-padding-other': ['the proof ends otherwise than proofs do', AGAIN],
  'proof-role-missing': ['the proof has no report, no attestation, or no instructions', AGAIN],
  'proof-instructions-differ': ['CHECK.md is not the one that every proof has: somebody wrote instructions of their own', AGAIN],
  'proof-report-too-large': ['the report of the proof has more claims, attempts, artifacts or comparisons than any', AGAIN],
  'proof-bundle-malformed': ['a bundle in the proof cannot be read', AGAIN],
  'proof-bundle-duplicate': ['a bundle is in the proof twice', AGAIN],
  'proof-bundle-of-another-subject': ['a bundle in the proof is about something that its report does not name', AGAIN],
  'proof-statement-differs': ['a readable copy of a statement is not what the bundle signs', AGAIN],
  'proof-statement-malformed': ['a statement in the proof says something else than its kind stands for', AGAIN],
  'proof-statement-of-another-report': ['a statement in the proof is about another report than the one in it', AGAIN],
  'proof-statement-contradicts-report': ['a statement in the proof says something else than its report', AGAIN],
  'proof-verdict-missing': [
    'no attestation in the proof says the verdict of its report',
    'attest the report, and export it with the bundle of its reproduced or rebuild-result statement',
  ],
  'proof-lock-missing': ['the report of the proof names an input lock that is not in it', AGAIN],
  'proof-lock-differs': ['the input lock in the proof is not the one that its report names', AGAIN],
  'proof-indexes-not-locked': ['the report of the proof names signed indexes that its lock does not have', AGAIN],
  'proof-inputs-without-lock': ['the proof has inputs and no lock that names them', AGAIN],
  'proof-builder-missing': ['the report of the proof names a builder that is not described in it', AGAIN],
  'proof-builder-differs': ['the builder that the proof describes is not the one that its report names', AGAIN],
  'proof-builder-lock-differs': ["the builder's lock in the proof is not the one that the builder has", AGAIN],
  'proof-manifest-unknown': ['a tree manifest in the proof is of nothing that its report names, or is there twice', AGAIN],
  'proof-key-malformed': ['the public key in the proof is not one key in PEM and nothing else', AGAIN],
  'proof-sbom-differs': ['the bill of materials in the proof is not the one that is signed', AGAIN],
} as const

export type ProofFailureCode = keyof typeof REFUSALS

/** `member`: its name, where it is one that a role can have. `reason`: a code of ours that says more. */
export function proofFailure(code: ProofFailureCode, data: { readonly member?: string; readonly reason?: string } = {}): Failure {
  const [message, hint] = REFUSALS[code]
  return new Failure({ code, message: data.member === undefined ? message : `${message} (${data.member})`, hint, data })
}
