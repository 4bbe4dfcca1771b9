import { againstApp, appSetting, type ComposeRule } from '../compose-rule.ts'
import { itemsOf, textOf } from '../located.ts'

export const initScript: ComposeRule = {
  id: 'init-script',
  severity: 'deny',
  why: 'These scripts run on the guest itself, as root, before the container engine: what they do is part of no image.',
  remedy: 'Leave them out, or have the policy allow each by its sha256.',
  stage1: 3,
  *check(document) {
    for (const name of ['init_script', 'bash_script']) {
      const entry = appSetting(document, name)
      if (entry === undefined || textOf(entry.value) === '') continue
      if (entry.value.kind !== 'list') yield againstApp(entry, `${name} runs on the guest`)
      for (const [index, item] of itemsOf(entry.value).entries())
        yield againstApp(entry, `${name} runs on the guest`, { pointer: `/${name}/${index}`, at: item.at, value: item })
    }
  },
}
