import { Hono } from 'hono'
import { cvmDocument, kmsOf, NODE, OS_IMAGE, tcbInfo } from './phala-documents.ts'
import { NOT_FOUND } from './phala-refusals.ts'
import { allowed, bodyOf, versionOf } from './phala-requests.ts'
import type { PhalaUpdates } from './phala-updates.ts'
import type { PhalaCvm, PhalaWorld } from './phala-world.ts'

/** Apps, each of one CVM here. */
export function phalaApps(world: PhalaWorld, updates: PhalaUpdates): Hono {
  const app = new Hono()
  const documentOf = (cvm: PhalaCvm, version: string): Record<string, unknown> => {
    const current = version === '2025-10-28' ? olderCvm(cvm) : cvmDocument(cvm, version, world.keyOf(cvm.appId).published)
    const { name, kms } = cvm.provision
    const said = { id: `app_${cvm.number}`, name, app_id: cvm.appId, created_at: cvm.createdAt, kms_type: kms.toLowerCase() }
    return { ...said, current_cvm: current, cvms: [current], cvm_count: 1 }
  }
  app.get('/apps', (c) =>
    c.json({
      dstack_apps: world.cvms.map((cvm) => documentOf(cvm, versionOf(c))),
      page: 1,
      page_size: 50,
      total: world.cvms.length,
      total_pages: 1,
    }),
  )
  app.get('/apps/:id', (c) => {
    const [cvm] = world.find(`app_${c.req.param('id').replace(/^app_/, '')}`)
    return cvm === undefined ? c.json(NOT_FOUND, 404) : c.json(documentOf(cvm, versionOf(c)))
  })
  app.post('/apps/:id/is-allowed', async (c) => c.json(allowed(updates, c.req.param('id'), String((await bodyOf(c))['compose_hash']))))
  app.get('/apps/:id/attestations', (c) => {
    const found = world.find(`app_${c.req.param('id')}`)
    const [first] = found
    if (first === undefined) return c.json(NOT_FOUND, 404)
    const { url, version, gateway_app_id } = kmsOf(first.provision.kms)
    const kms_info = {
      contract_address: '',
      chain_id: null,
      version,
      url,
      gateway_app_id,
      gateway_app_url: '',
      kms_type: first.provision.kms.toLowerCase(),
    }
    const instances = found.map((cvm) => ({
      vm_uuid: cvm.vmUuid,
      name: cvm.provision.name,
      instance_id: cvm.instanceId,
      status: cvm.status,
      image_version: OS_IMAGE.name,
      quote: cvm.guest?.quote ?? null,
      tcb_info: cvm.status === 'running' ? tcbInfo(world.attested(cvm), cvm.guest?.tcbInfo) : null,
    }))
    return c.json({
      app_id: first.appId,
      contract_address: '',
      kms_info,
      instances,
      kms_guest_agent_info: null,
      gateway_guest_agent_info: null,
      qemu_version: '9.1',
    })
  })
  return app
}

function olderCvm(cvm: PhalaCvm): Record<string, unknown> {
  const { name, instanceType } = cvm.provision
  const size = { vcpu: 1, memory: 2048, disk_size: 20, teepod_id: NODE.id, teepod_name: NODE.name, instance_type: instanceType }
  return { vm_uuid: cvm.vmUuid, app_id: cvm.appId, name, status: cvm.status, instance_id: cvm.instanceId, ...size }
}
