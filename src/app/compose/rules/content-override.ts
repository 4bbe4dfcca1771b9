import { againstCompose, type ComposeRule, sectionOf, settingsOf } from '../compose-rule.ts'
import { entriesOf, pointerPart, under } from '../located.ts'

export const contentOverride: ComposeRule = {
  id: 'content-override',
  severity: 'warn',
  why: 'A file that is written here lies over the attested image: it can be a program, or what a program does.',
  remedy: 'Put the file into the image, or have the policy allow this value by its sha256.',
  stage1: 3,
  *check(document) {
    for (const section of ['configs', 'secrets'])
      for (const { key, value } of entriesOf(sectionOf(document, section))) {
        const content = under(value, 'content')
        if (content !== undefined)
          yield againstCompose(`/${section}/${pointerPart(key)}/content`, content, 'a file is written here', { evidence: [key] })
      }
    for (const { entry, pointer } of settingsOf(document, 'configs', 'secrets'))
      yield againstCompose(pointer, entry.value, `${entry.key} lie over the image`, { at: entry.keyAt })
  },
}
