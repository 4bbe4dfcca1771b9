import { ATTESTATION_QUESTIONS, type AttestationQuestion } from '../attested.ts'
import { fail, type GateRule, type JudgedImage, type Said, skip } from '../gate-rule.ts'

const TEXTS: Readonly<Record<AttestationQuestion, string>> = {
  attested:
    'One of the policy’s signers attests that the image was reproduced bit for bit. The signature is verified at the time of the decision, or as shortly before as the policy lets it be kept.',
  'source-admitted':
    'It was rebuilt from the repository, the folder, and a branch or tag that the policy names for this image. A host serves commits of forks under the parent’s address: a commit that is reachable from nothing is refused.',
  'owner-admitted': 'Whoever had it rebuilt may have: a stranger’s rebuild of your source says nothing against you, and nothing for you.',
  'builder-admitted': 'Every attempt was made in a builder that the policy names.',
  'tier-admitted': 'Every attempt gave these bits, at a tier that the policy names.',
  'attempts-enough': 'As many attempts agree as the policy asks for.',
  'attestation-fresh': 'The rebuild is no older than the policy lets it be.',
  'indexes-fresh':
    'The packages were chosen by signed indexes of all suites that the policy names, none of them older at the time than the policy lets it be: an old index is still signed.',
}

/** All of them are asked of one attestation: the one that goes furthest. */
export const imageAttested: readonly GateRule[] = ATTESTATION_QUESTIONS.map((question, place) => ({
  id: question,
  text: TEXTS[question],
  *check({ images }) {
    for (const image of images) yield said(image, question, place)
  },
}))

function said({ held, subject, listed }: JudgedImage, question: AttestationQuestion, place: number): Said {
  const answer = held?.answers[place]
  if (answer !== undefined) return { subject, result: answer.good ? 'pass' : 'fail', reason: answer.reason }
  if (!listed) return skip(subject, 'the policy says nothing of the image')
  if (held !== undefined) return skip(subject, 'an earlier question was answered with no')
  return question === 'attested' ? fail(subject, 'nothing is attested of it') : skip(subject, 'nothing is attested of it')
}
