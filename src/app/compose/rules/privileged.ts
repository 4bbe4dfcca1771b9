import { againstCompose, type ComposeRule, settingsOf } from '../compose-rule.ts'
import { isOn, itemsOf, textOf } from '../located.ts'

/** With these a container gets out, or changes the guest (capabilities(7)). */
const STRONG =
  /^(?:CAP_)?(?:ALL|SYS_ADMIN|SYS_MODULE|SYS_PTRACE|SYS_RAWIO|SYS_BOOT|SYS_TIME|MAC_ADMIN|MAC_OVERRIDE|DAC_READ_SEARCH|BPF|PERFMON|NET_ADMIN|SYSLOG|CHECKPOINT_RESTORE)$/i

export const privileged: ComposeRule = {
  id: 'privileged',
  severity: 'deny',
  why: 'A container that is not held by the engine is root on the guest: it can change what else runs there, and what the guest says of itself.',
  remedy: 'Leave the sandbox as it is by default; give a container a device or a capability only where it cannot do without.',
  stage1: 7,
  *check(document) {
    for (const { entry, pointer } of settingsOf(document, 'privileged'))
      if (isOn(entry.value) !== false) yield againstCompose(pointer, entry.value, 'the container is root on the guest')
    for (const { entry, pointer } of settingsOf(document, 'cap_add'))
      for (const [index, item] of itemsOf(entry.value).entries()) {
        const name = textOf(item) ?? ''
        yield againstCompose(`${pointer}/${index}`, item, 'a capability is added', {
          evidence: [name],
          severity: STRONG.test(name) ? 'deny' : 'warn',
        })
      }
    for (const { entry, pointer } of settingsOf(document, 'security_opt'))
      for (const [index, item] of itemsOf(entry.value).entries()) {
        const option = textOf(item) ?? ''
        if (!/^no-new-privileges(?:[:=]true)?$/.test(option))
          yield againstCompose(`${pointer}/${index}`, item, 'the sandbox of the container is changed', { evidence: [option] })
      }
    for (const { entry, pointer } of settingsOf(document, 'devices', 'device_cgroup_rules'))
      yield againstCompose(pointer, entry.value, 'devices of the guest are given to a container', { at: entry.keyAt })
    for (const { entry, pointer } of settingsOf(document, 'gpus', 'runtime', 'isolation', 'cgroup_parent', 'sysctls'))
      yield againstCompose(pointer, entry.value, `${entry.key} changes what the container runs on`, { at: entry.keyAt, severity: 'warn' })
  },
}
