import { IMAGE_CONFIG_FILE, readImageConfig } from '../image-config.ts'
import type { Rule } from '../rule.ts'

export const imageConfigInvalid: Rule = {
  id: 'image-config-invalid',
  severity: 'refuse',
  text: 'bitwitness.yaml says how the image is packed. One that two parsers could read differently, or that has something else in it, is refused.',
  remedy: 'Write plain YAML without aliases, anchors, tags, merge keys or repeated keys, with the fields that docs/recipe-rules.md lists.',
  *check(config) {
    for (const { line, message } of readImageConfig(config.tree).problems) yield { path: IMAGE_CONFIG_FILE, line, message }
  },
}
