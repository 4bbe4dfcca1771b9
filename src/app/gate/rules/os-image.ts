import type { GuestFacts } from '../facts.ts'
import { fail, type GateRule, GUEST, pass, type Said, skip } from '../gate-rule.ts'

export const osImage: GateRule = {
  id: 'os-image',
  text: 'The guest image, by its os_image_hash, was rebuilt from a source of the policy, or is pinned by whoever wrote it; the answer says which of the two. What the hash stands for is the KMS’s to check: it has to run with image.verify.',
  *check({ policy, facts: { guest }, osImage: held }) {
    if (guest === null) return yield skip(GUEST, 'nothing runs yet')
    const hash = guest.osImage?.hash ?? null
    const listed = hash === null ? undefined : policy.osImages[hash]
    if (listed === undefined) return yield fail(GUEST, hash === null ? unsaid(guest) : `the policy does not list the guest image ${hash}`)
    if ('pinned' in listed) return yield pass(GUEST, `the guest image is pinned by the policy: ${listed.pinned}`)
    yield attested(held)
  },
}

/** A target knows images by names of its own; what they hash to somebody has to say. */
function unsaid({ by }: GuestFacts): string {
  const said = 'it is not said which guest image it is'
  return by === 'target' ? `${said}: --os-image-hash of deploy says it, or osImages of a service’s target` : said
}

function attested(held: Parameters<GateRule['check']>[0]['osImage']): Said {
  if (held === undefined) return fail(GUEST, 'nothing is attested of the guest image')
  const bad = held.answers.find(({ good }) => !good)
  return bad === undefined
    ? pass(GUEST, 'the guest image was rebuilt from a source of the policy')
    : fail(GUEST, `of the guest image: ${bad.reason}`)
}
