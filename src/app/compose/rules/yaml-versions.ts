import { againstCompose, type ComposeRule } from '../compose-rule.ts'
import { entriesOf, pointerPart, scalarsOf } from '../located.ts'

/** Plain words of YAML 1.1 that are texts in 1.2, and numbers to the base of 60. */
const WORDS = /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$|^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/

export const yamlVersions: ComposeRule = {
  id: 'yaml-versions',
  severity: 'warn',
  why: 'YAML 1.1 takes it for true, false or a number, YAML 1.2 for a text.',
  remedy: 'Put it between quotes.',
  stage1: null,
  *check({ compose }) {
    for (const section of entriesOf(compose?.root))
      for (const { node, pointer } of scalarsOf(section.value, `/${pointerPart(section.key)}`))
        if (node.isPlain && typeof node.value === 'string' && WORDS.test(node.value))
          yield againstCompose(pointer, node, 'two versions of YAML read it differently', { evidence: [node.value] })
  },
}
