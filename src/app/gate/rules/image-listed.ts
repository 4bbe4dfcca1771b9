import { type GateRule, that } from '../gate-rule.ts'

export const imageListed: GateRule = {
  id: 'image-listed',
  text: 'Every image is one that the policy lists. Anybody can have a recipe of their own rebuilt: that it is reproduced does not make it yours.',
  *check({ images }) {
    for (const { subject, listed } of images)
      yield that(listed, subject, ['the policy lists the image', 'the policy does not list the image'])
  },
}
