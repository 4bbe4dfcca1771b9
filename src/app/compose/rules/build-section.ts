import { againstCompose, type ComposeRule, settingsOf } from '../compose-rule.ts'
import { textOf } from '../located.ts'

export const buildSection: ComposeRule = {
  id: 'build-section',
  severity: 'deny',
  why: 'The guest starts containers with --build: what stands here is built inside of it, and run in place of what was attested.',
  remedy: 'Build the image elsewhere, have it rebuilt and attested, and name it by its digest.',
  stage1: 3,
  *check(document) {
    for (const { entry, pointer } of settingsOf(document, 'build', 'develop', 'provider'))
      yield againstCompose(pointer, entry.value, `${entry.key} makes or starts something else than the image`, { at: entry.keyAt })
    for (const { entry, pointer } of settingsOf(document, 'pull_policy'))
      if (textOf(entry.value) === 'build') yield againstCompose(pointer, entry.value, 'the image is built, and not pulled')
  },
}
