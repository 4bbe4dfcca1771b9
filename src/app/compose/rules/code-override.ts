import { againstCompose, type ComposeRule, settingsOf } from '../compose-rule.ts'
import { under } from '../located.ts'

export const codeOverride: ComposeRule = {
  id: 'code-override',
  severity: 'warn',
  why: 'What runs in the container is said here, and not by the attested image alone: any interpreter in it runs any program that is written here.',
  remedy: 'Put the command into the image’s config (bitwitness.yaml of the recipe), or have the policy allow this value by its sha256.',
  stage1: 3,
  *check(document) {
    for (const { entry, pointer } of settingsOf(document, 'command', 'entrypoint', 'post_start', 'pre_stop'))
      if (entry.value.kind !== 'scalar' || entry.value.value !== null)
        yield againstCompose(pointer, entry.value, `${entry.key} says what runs in the container`, { at: entry.keyAt })
    for (const { entry, pointer } of settingsOf(document, 'healthcheck')) {
      const test = under(entry.value, 'test')
      if (test !== undefined) yield againstCompose(`${pointer}/test`, test, 'the check of health runs a command in the container')
    }
    for (const { entry, pointer } of settingsOf(document, 'working_dir', 'user', 'group_add'))
      yield againstCompose(pointer, entry.value, `${entry.key} is another than the image’s own`, { at: entry.keyAt, severity: 'info' })
  },
}
