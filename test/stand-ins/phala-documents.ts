import { hex, OS_IMAGE_HASH, type PhalaCvm } from './phala-world.ts'

export const NODE = { id: 16, name: 'stand-in-16', region: 'us-west' } as const
export const OS_IMAGE = { name: 'dstack-0.5.6', version: '0.5.6', os_image_hash: OS_IMAGE_HASH, is_dev: false } as const
export const DEVICE = hex('device')

/** The hosted KMS, and one that asks a contract. */
export const KMS_LIST = [
  {
    id: 'kms_1',
    slug: 'phala-prod8',
    url: 'https://kms.stand-in.phala.test',
    version: 'v0.5.6',
    chain_id: null,
    kms_contract_address: null,
    gateway_app_id: hex('gateway', 40),
  },
  {
    id: 'kms_2',
    slug: 'base-prod5',
    url: 'https://base.stand-in.phala.test',
    version: 'v0.5.6',
    chain_id: 8453,
    kms_contract_address: `0x${hex('kms', 40)}`,
    gateway_app_id: hex('gateway', 40),
  },
] as const
export const kmsOf = (kms: string): (typeof KMS_LIST)[number] => KMS_LIST[kms === 'PHALA' ? 0 : 1]

export const paged = (items: readonly unknown[]) => ({ items, total: items.length, page: 1, page_size: 30, pages: 1 })
export const urlsOf = ({ appId, instanceId, gateway }: PhalaCvm) => [
  { app: `https://${appId}.${gateway}`, instance: `https://${instanceId}.${gateway}` },
]

/** GET /cvms/{id}, by the version that is asked for. */
export function cvmDocument(cvm: PhalaCvm, version: string, publishedKey: string): Record<string, unknown> {
  return version === '2025-10-28' ? olderDocument(cvm, publishedKey) : newerDocument(cvm, publishedKey)
}

function newerDocument(cvm: PhalaCvm, encrypted_env_pubkey: string): Record<string, unknown> {
  const { provision } = cvm
  return {
    id: `cvm_${cvm.number}`,
    name: provision.name,
    app_id: cvm.appId,
    vm_uuid: cvm.vmUuid,
    instance_id: cvm.status === 'creating' ? null : cvm.instanceId,
    resource: {
      instance_type: provision.instanceType,
      vcpu: 1,
      memory_in_gb: 2,
      disk_in_gb: 20,
      gpus: 0,
      compute_billing_price: '0.058',
      billing_period: 'hourly',
    },
    node_info: { object_type: 'node', ...NODE, device_id: DEVICE, status: 'ONLINE', version: '0.5.6' },
    os: OS_IMAGE,
    kms_type: provision.kms.toLowerCase(),
    kms_info: { chain_id: kmsOf(provision.kms).chain_id, encrypted_env_pubkey },
    status: cvm.status,
    progress: null,
    compose_hash: hex(provision.appCompose),
    gateway: { base_domain: cvm.gateway, cname: null },
    services: [],
    endpoints: urlsOf(cvm),
    listed: false,
    compose_file: JSON.parse(provision.appCompose) as unknown,
  }
}

function olderDocument(cvm: PhalaCvm, encrypted_env_pubkey: string): Record<string, unknown> {
  return {
    ...committedDocument(cvm),
    encrypted_env_pubkey,
    public_urls: urlsOf(cvm),
    gateway_domain: cvm.gateway,
    kms_info: kmsOf(cvm.provision.kms),
  }
}

/** One of GET /cvms/paginated. */
export function listedDocument(cvm: PhalaCvm, version: string, publishedKey: string): Record<string, unknown> {
  if (version !== '2025-10-28') return newerDocument(cvm, publishedKey)
  const vm = {
    id: cvm.vmUuid,
    name: cvm.provision.name,
    status: cvm.status,
    uptime: '',
    app_url: null,
    app_id: cvm.appId,
    instance_id: cvm.instanceId,
  }
  const none = { exited_at: null, boot_progress: null, boot_error: cvm.bootError, shutdown_progress: null, image_version: OS_IMAGE.name }
  return {
    hosted: { ...vm, ...none },
    name: cvm.provision.name,
    managed_user: null,
    node: { id: NODE.id, name: NODE.name, region_identifier: NODE.region },
    status: cvm.status,
    dapp_dashboard_url: null,
    syslog_endpoint: null,
    project_id: null,
    project_type: null,
    billing_period: null,
    kms_info: kmsOf(cvm.provision.kms),
    vcpu: 1,
    memory: 2048,
    disk_size: 20,
    gateway_domain: cvm.gateway,
    public_urls: urlsOf(cvm),
  }
}

/** POST /cvms, and what starting and stopping answer. */
export function committedDocument(cvm: PhalaCvm): Record<string, unknown> {
  return {
    id: cvm.number,
    name: cvm.provision.name,
    status: cvm.status,
    teepod_id: NODE.id,
    teepod: { id: NODE.id, name: NODE.name },
    user_id: 1,
    app_id: cvm.appId,
    vm_uuid: cvm.vmUuid,
    instance_id: null,
    app_url: null,
    base_image: OS_IMAGE.name,
    vcpu: 1,
    memory: 2048,
    disk_size: 20,
    docker_compose_file: null,
    created_at: cvm.createdAt,
    encrypted_env_pubkey: null,
  }
}

/** GET /cvms/{id}/state */
export function stateDocument({ provision: { name }, status, bootError, instanceId }: PhalaCvm): Record<string, unknown> {
  const booting = status === 'starting' ? { boot_progress: 'starting docker' } : {}
  return { name, status, instance_id: instanceId, uptime: '1s', ...booting, ...(bootError === null ? {} : { boot_error: bootError }) }
}

/** `tcb_info` of a guest, its measurements made up. */
export function tcbInfo(appCompose: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const measured = Object.fromEntries(['mrtd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'].map((name) => [name, hex(name).padEnd(96, '0')]))
  const event = {
    imr: 3,
    event_type: 134217729,
    digest: hex('event').padEnd(96, '0'),
    event: 'compose-hash',
    event_payload: hex(appCompose),
  }
  return { ...measured, event_log: [event], app_compose: appCompose, ...more }
}
