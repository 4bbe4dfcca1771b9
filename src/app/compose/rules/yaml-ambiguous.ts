import type { ComposeRule } from '../compose-rule.ts'
import type { TextProblem } from '../read-located.ts'

const MESSAGES: Readonly<Record<TextProblem['what'], string>> = {
  malformed: 'it is no YAML that can be read',
  'duplicate-key': 'a key stands twice',
  alias: 'an anchor or an alias stands here',
  'merge-key': 'a merge key stands here',
  tag: 'a tag stands here',
  directive: 'a directive stands here',
  'several-documents': 'a second document begins here',
  key: 'a key is no text',
  number: 'a number is not the same to every reader',
}

export const yamlAmbiguous: ComposeRule = {
  id: 'yaml-ambiguous',
  severity: 'deny',
  why: 'Two parsers read these in two ways: what was looked at need not be what runs.',
  remedy: 'Write every value out where it belongs, each key once, in one document without tags.',
  stage1: 2,
  *check({ compose }) {
    for (const { at, what } of compose?.problems ?? []) yield { part: 'docker-compose', pointer: '', at, message: MESSAGES[what] }
  },
}
