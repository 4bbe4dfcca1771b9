import { againstApp, appSetting, type ComposeRule } from '../compose-rule.ts'
import { itemsOf, textOf, under } from '../located.ts'

export const verityVolume: ComposeRule = {
  id: 'verity-volume',
  severity: 'deny',
  why: 'A volume that is measured by its root digest is code or data like an image, and needs a rebuild of its own to say where it came from.',
  remedy: 'Put the files into the image, or have the policy allow the volume by its sha256.',
  stage1: 3,
  *check(document) {
    const entry = appSetting(document, 'verity_volumes')
    for (const [index, item] of itemsOf(entry?.value).entries()) {
      const root = textOf(under(item, 'verity_root'))
      if (entry !== undefined)
        yield againstApp(entry, 'a volume is mounted that no attestation names', {
          pointer: `/verity_volumes/${index}`,
          at: item.at,
          value: item,
          evidence: root === undefined ? [] : [root],
        })
    }
  },
}
