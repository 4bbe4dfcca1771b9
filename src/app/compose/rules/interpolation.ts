import { againstCompose, type ComposeRule } from '../compose-rule.ts'
import { INTERPOLATION, variablesIn } from '../interpolation.ts'
import { entriesOf, pointerPart, scalarsOf } from '../located.ts'

export const interpolation: ComposeRule = {
  id: 'interpolation',
  severity: 'deny',
  why: 'Compose puts the value of a variable in when it starts: whoever deploys can then change what is mounted, reached or run, under the same compose hash.',
  remedy: 'Write the value itself; write $$ for a dollar.',
  stage1: 4,
  *check({ compose }) {
    for (const section of entriesOf(compose?.root))
      for (const { node, pointer } of scalarsOf(section.value, `/${pointerPart(section.key)}`)) {
        // Images and variables have rules of their own.
        if (/^\/services\/[^/]+\/(?:image$|environment\/)/.test(pointer)) continue
        if (typeof node.value === 'string' && INTERPOLATION.test(node.value))
          yield againstCompose(pointer, node, 'a variable from outside stands here', { evidence: variablesIn(node.value) })
      }
  },
}
