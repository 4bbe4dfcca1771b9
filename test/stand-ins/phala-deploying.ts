import { Hono } from 'hono'
import type { ToldCompose } from './phala-app-compose.ts'
import { committedDocument, DEVICE, kmsOf, listedDocument, NODE, OS_IMAGE, paged } from './phala-documents.ts'
import { duplicate, structured, validation } from './phala-refusals.ts'
import { bodyOf, textIn, versionOf } from './phala-requests.ts'
import type { PhalaCvm, PhalaWorld } from './phala-world.ts'

/** Deploying in two phases, and lists of what was deployed. */
export function phalaDeploying(world: PhalaWorld): Hono {
  const app = new Hono()
  const keyOf = (cvm: PhalaCvm): string => world.keyOf(cvm.appId).published

  app.post('/cvms/provision', async (c) => {
    const body = await bodyOf(c)
    const name = String(body['name'])
    if (!/^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{3,61}[a-zA-Z0-9]$/.test(name))
      return c.json(validation('name', 'a name has 5 to 63 characters'), 422)
    if ((body['teepod_id'] ?? NODE.id) !== NODE.id)
      return c.json(structured('ERR-01-001', 'no such node', [{ field: 'teepod_id', value: null }]), 404)
    if (world.find(name).length > 0) return c.json(duplicate(name), 409)
    const appId = (body['app_id'] as string | undefined) ?? null
    if (appId !== null && !world.nextAppIds(20).some((next) => next.app_id === appId && next.nonce === body['nonce']))
      return c.json(validation('app_id', 'it is not of this nonce'), 422)
    const kms = textIn(body, 'kms', 'PHALA')
    const instanceType = textIn(body, 'instance_type', 'tdx.small')
    const made = world.provision({ name, compose: body['compose_file'] as ToldCompose, kms, appId, instanceType })
    return c.json({
      app_id: made.appId,
      app_env_encrypt_pubkey: made.appId === null ? null : world.keyOf(made.appId).published,
      compose_hash: made.composeHash,
      kms_info: kmsOf(kms),
      fmspc: '90c06f000000',
      device_id: DEVICE,
      os_image_hash: OS_IMAGE.os_image_hash,
      instance_type: instanceType,
      teepod_id: NODE.id,
    })
  })

  app.post('/cvms', async (c) => {
    const body = await bodyOf(c)
    const appId = String(body['app_id']).replace(/^0x/, '')
    const provision = world.provisioned(appId, String(body['compose_hash']))
    if (provision === undefined) return c.json(structured('ERR-01-006', 'nothing of this hash was provisioned'), 400)
    if (world.find(provision.name).length > 0) return c.json(duplicate(provision.name), 409)
    if (world.find(`app_${appId}`).length > 0) return c.json(structured('ERR-03-007', 'the app has a CVM'), 409)
    return c.json(
      committedDocument(await world.commit({ appId, provision, encrypted: (body['encrypted_env'] as string | undefined) ?? null })),
    )
  })

  app.get('/cvms/paginated', (c) => c.json(paged(world.cvms.map((cvm) => listedDocument(cvm, versionOf(c), keyOf(cvm))))))
  app.post('/status/batch', async (c) => {
    const wanted = (await bodyOf(c))['vm_uuids'] as string[]
    const found = world.cvms.filter(({ vmUuid }) => wanted.some((uuid) => uuid.replaceAll('-', '') === vmUuid.replaceAll('-', '')))
    return c.json(
      Object.fromEntries(
        found.map((cvm) => [
          cvm.vmUuid,
          { vm_uuid: cvm.vmUuid, status: cvm.status, in_progress: cvm.status !== 'running', boot_error: cvm.bootError },
        ]),
      ),
    )
  })

  return app
}
