import { againstApp, appSetting, type ComposeRule, valueDigest } from '../compose-rule.ts'
import { textOf } from '../located.ts'
import { FIRST_THAT_TAKES_DIGESTS, phalaScript } from './known-scripts.ts'

export const preLaunchScript: ComposeRule = {
  id: 'pre-launch-script',
  severity: 'deny',
  why: 'The script runs on the guest itself, as root, before the containers: it can start others, change these, or let somebody in. The published scripts of Phala Cloud are known by their digests; they log in to registries and, from 0.0.15 on, pull images at each start, so that a tag can become other code.',
  remedy: 'Leave it out, or have the policy allow this very script by its sha256.',
  stage1: 3,
  *check(document) {
    const entry = appSetting(document, 'pre_launch_script')
    if (entry === undefined || textOf(entry.value) === '') return
    const known = textOf(entry.value) === undefined ? undefined : phalaScript(valueDigest(entry.value))
    if (known === undefined) yield againstApp(entry, 'a script that is not known runs before the containers')
    else if (known.patch < FIRST_THAT_TAKES_DIGESTS)
      yield againstApp(entry, `it is Phala Cloud’s script ${known.version}, which misreads images named by digest in private registries`, {
        severity: 'warn',
      })
    else yield againstApp(entry, `it is Phala Cloud’s script ${known.version}`, { severity: 'info' })
  },
}
