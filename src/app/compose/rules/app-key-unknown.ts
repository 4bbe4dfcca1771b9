import { againstApp, type ComposeRule } from '../compose-rule.ts'
import { entriesOf } from '../located.ts'

/** Of dstack-types/src/lib.rs and app-compose.sh; those that begin with x_ are for whoever writes them. */
const KNOWN = new Set([
  'manifest_version',
  'name',
  'runner',
  'features',
  'snapshotter',
  'docker_compose_file',
  'docker_config',
  'init_script',
  'pre_launch_script',
  'bash_script',
  'public_logs',
  'public_sysinfo',
  'public_tcbinfo',
  'kms_enabled',
  'gateway_enabled',
  'tproxy_enabled',
  'local_key_provider_enabled',
  'key_provider',
  'key_provider_id',
  'allowed_envs',
  'no_instance_id',
  'secure_time',
  'storage_fs',
  'swap_size',
  'event_log_version',
  'port_policy',
  'requirements',
  'verity_volumes',
])

export const appKeyUnknown: ComposeRule = {
  id: 'app-key-unknown',
  severity: 'warn',
  why: 'dstack passes over keys that it does not know, but measures them: a newer guest may do with them what nobody looked at.',
  remedy: 'Remove the key, or call it x_… where it is only a note.',
  stage1: 2,
  *check({ app }) {
    for (const entry of entriesOf(app?.root))
      if (!KNOWN.has(entry.key) && !/^x[_-]/.test(entry.key))
        yield againstApp(entry, 'dstack does not know this key', { evidence: [entry.key] })
  },
}
