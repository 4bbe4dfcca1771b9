import { againstApp, appSetting, type ComposeRule } from '../compose-rule.ts'
import { isOn, textOf } from '../located.ts'

export const keyProvider: ComposeRule = {
  id: 'key-provider',
  severity: 'warn',
  why: 'Only a KMS asks before it gives an app its keys. Without one, keys are the machine’s or new at each start, and no policy stands between an image and the data.',
  remedy: 'Use the KMS: kms_enabled true, or key_provider "kms"; without secrets and stored data it may stay.',
  stage1: 4,
  *check(document) {
    const provider = appSetting(document, 'key_provider')
    const name = textOf(provider?.value)
    if (provider !== undefined && name !== 'kms')
      yield againstApp(provider, 'keys do not come from a KMS', { evidence: name === undefined ? [] : [name] })
    const local = appSetting(document, 'local_key_provider_enabled')
    if (local !== undefined && isOn(local.value) !== false) yield againstApp(local, 'keys come from a provider beside the guest')
    const kms = appSetting(document, 'kms_enabled')
    if (provider === undefined && document.app !== null && isOn(kms?.value) !== true)
      yield kms === undefined
        ? { part: 'app-compose', pointer: '/kms_enabled', at: null, message: 'no KMS is asked for keys' }
        : againstApp(kms, 'no KMS is asked for keys')
  },
}
