import { type GateRule, that } from '../gate-rule.ts'

export const imagePinned: GateRule = {
  id: 'image-pinned',
  text: 'Every image is named by the digest of its manifest, and there is one at least.',
  *check({ images }) {
    if (images.length === 0) yield that(false, 'app', ['', 'no image is named'])
    for (const { subject, facts } of images)
      yield that(facts.digest !== null && facts.name !== null, subject, ['it is named by its digest', 'it is not named by its digest'])
  },
}
