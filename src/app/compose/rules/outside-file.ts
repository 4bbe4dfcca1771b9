import { againstCompose, type ComposeRule, sectionOf, settingsOf } from '../compose-rule.ts'
import { entriesOf, pointerPart } from '../located.ts'

export const outsideFile: ComposeRule = {
  id: 'outside-file',
  severity: 'deny',
  why: 'The Compose file alone is measured. What it takes from another file, or a service from elsewhere, is not: it can be anything.',
  remedy: 'Write everything into the one Compose file, or into the image.',
  stage1: 3,
  *check(document) {
    const include = sectionOf(document, 'include')
    if (include !== undefined) yield againstCompose('/include', include, 'other Compose files are taken in')
    for (const { entry, pointer } of settingsOf(
      document,
      'extends',
      'env_file',
      'label_file',
      'credential_spec',
      'volumes_from',
      'external_links',
    ))
      yield againstCompose(pointer, entry.value, `${entry.key} takes what stands elsewhere`, { at: entry.keyAt })
    for (const section of ['configs', 'secrets'])
      for (const { key, value } of entriesOf(sectionOf(document, section)))
        for (const entry of entriesOf(value))
          if (entry.key === 'file' || entry.key === 'external' || entry.key === 'environment')
            yield againstCompose(`/${section}/${pointerPart(key)}/${entry.key}`, entry.value, 'its content stands elsewhere', {
              at: entry.keyAt,
            })
  },
}
