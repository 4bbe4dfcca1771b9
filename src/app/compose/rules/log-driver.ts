import { againstCompose, type ComposeRule, settingsOf } from '../compose-rule.ts'
import { textOf, under } from '../located.ts'

const LOCAL = ['json-file', 'local', 'none', 'journald']

export const logDriver: ComposeRule = {
  id: 'log-driver',
  severity: 'warn',
  why: 'Logs go to another machine: what visitors sent may be in them.',
  remedy: 'Use json-file or local, or log nothing of visitors.',
  stage1: 7,
  *check(document) {
    for (const { entry, pointer } of settingsOf(document, 'logging')) {
      const driver = under(entry.value, 'driver')
      const name = textOf(driver)
      if (driver !== undefined && !LOCAL.includes(name ?? ''))
        yield againstCompose(`${pointer}/driver`, driver, 'logs leave the guest', { evidence: name === undefined ? [] : [name] })
    }
  },
}
