import { againstCompose, type ComposeRule } from '../compose-rule.ts'
import { INTERPOLATION } from '../interpolation.ts'
import { textOf, under } from '../located.ts'
import { pinnedImage } from '../pinned-image.ts'

export const imageUnpinned: ComposeRule = {
  id: 'image-unpinned',
  severity: 'deny',
  why: 'Images are pulled at each start: a tag, or a variable, can stand for other code tomorrow under the same compose hash. A digest cannot.',
  remedy: 'Write the image as NAME@sha256:…, by the digest of its manifest for one platform, without a variable.',
  stage1: 3,
  *check({ services }) {
    for (const { node, pointer, at } of services) {
      const image = under(node, 'image')
      const name = textOf(image)
      const place = `${pointer}/image`
      if (image === undefined) yield { part: 'docker-compose', pointer: place, at, message: 'the service names no image' }
      else if (name === undefined) yield againstCompose(place, image, 'the image is no text')
      else if (INTERPOLATION.test(name))
        yield againstCompose(place, image, 'a variable stands in the name of the image', { evidence: [name] })
      else if (pinnedImage(name) === undefined)
        yield againstCompose(place, image, 'the image is not named by its digest', { evidence: [name] })
    }
  },
}
