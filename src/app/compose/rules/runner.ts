import { againstApp, appSetting, type ComposeRule } from '../compose-rule.ts'
import { textOf } from '../located.ts'

export const runner: ComposeRule = {
  id: 'runner',
  severity: 'deny',
  why: 'The runner "bash" runs a script on the guest itself, as root and outside of any image: nothing that was rebuilt says what it does.',
  remedy: 'Use "docker-compose", and put the program into the image.',
  stage1: 3,
  *check(document) {
    const entry = appSetting(document, 'runner')
    const name = textOf(entry?.value)
    if (entry !== undefined && name !== undefined && name !== 'docker-compose' && name !== 'nerdctl-compose')
      yield againstApp(entry, 'the runner is none that starts containers only', { evidence: [name] })
  },
}
