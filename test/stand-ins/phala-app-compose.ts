/** What a stand-in’s guests run before the containers where an order brings no script of its own; Phala’s real text is not ours to carry. */
export const STAND_IN_SCRIPT = '#!/bin/sh\necho "pre-launch script of a stand-in of Phala Cloud"\n'

export type ToldCompose = Readonly<Record<string, unknown>> & { readonly docker_compose_file: string }

/** The bytes that Phala Cloud makes of what it is told: keys sorted, no spaces, with what it adds itself. */
export function phalaAppCompose(told: ToldCompose, o: { readonly name: string; readonly script: string | null }): string {
  const script = told['pre_launch_script'] ?? o.script
  return JSON.stringify(
    sorted({
      allowed_envs: [],
      features: ['kms', 'tproxy-net'],
      gateway_enabled: true,
      kms_enabled: true,
      local_key_provider_enabled: false,
      manifest_version: 2,
      no_instance_id: false,
      public_tcbinfo: true,
      runner: 'docker-compose',
      secure_time: false,
      storage_fs: 'zfs',
      tproxy_enabled: true,
      ...told,
      ...(script === null ? {} : { pre_launch_script: script }),
      name: o.name,
    }),
  )
}

function sorted(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
