import { Hono } from 'hono'
import { DEVICE, KMS_LIST, NODE, OS_IMAGE, paged } from './phala-documents.ts'
import type { PhalaWorld } from './phala-world.ts'

const SMALL = {
  id: 'tdx.small',
  name: 'Small',
  description: '1 vCPU, 2 GB',
  vcpu: 1,
  memory_mb: 2048,
  hourly_rate: '0.058',
  requires_gpu: false,
  default_disk_size_gb: 20,
  family: 'cpu',
}
const USER = {
  username: 'stand-in',
  email: 'stand-in@phala.test',
  role: 'user',
  avatar: '',
  email_verified: true,
  totp_enabled: false,
  has_backup_codes: false,
  flag_has_password: false,
}
const WORKSPACE = { id: 'ws_1', name: 'stand-in', slug: 'stand-in', tier: 'pro', role: 'owner', avatar: null }

/** What there is to choose from, and who asks. */
export function phalaCatalog(world: PhalaWorld): Hono {
  const app = new Hono()
  app.get('/auth/me', (c) =>
    c.json(
      c.req.header('x-phala-version') === '2025-10-28'
        ? {
            username: USER.username,
            email: USER.email,
            credits: 100,
            granted_credits: 0,
            avatar: '',
            team_name: 'stand-in',
            team_tier: 'pro',
          }
        : {
            user: USER,
            workspace: WORKSPACE,
            credits: { balance: '100', granted_balance: '0', is_post_paid: false, outstanding_amount: null },
          },
    ),
  )
  app.get('/teepods/available', (c) =>
    c.json({
      tier: 'pro',
      capacity: { max_instances: 10, max_vcpu: 16, max_memory: 32_768, max_disk: 500 },
      nodes: [
        {
          teepod_id: NODE.id,
          name: NODE.name,
          listed: true,
          resource_score: 1,
          remaining_vcpu: 16,
          remaining_memory: 32_768,
          remaining_cvm_slots: 10,
          images: [{ ...OS_IMAGE, version: [0, 5, 6] }],
          support_onchain_kms: true,
          device_id: DEVICE,
          region_identifier: NODE.region,
          default_kms: 'phala-prod8',
          kms_list: KMS_LIST.map(({ slug }) => slug),
        },
      ],
      kms_list: KMS_LIST,
    }),
  )
  app.get('/instance-types', (c) => c.json({ result: [{ name: 'cpu', items: [SMALL], total: 1 }] }))
  app.get('/instance-types/:family', (c) => c.json({ items: [SMALL], total: 1, family: c.req.param('family') }))
  app.get('/os-images', (c) => c.json(paged([{ ...OS_IMAGE, slug: OS_IMAGE.name, requires_gpu: false }])))
  app.get('/kms', (c) => c.json(paged(KMS_LIST)))
  app.get('/kms/phala/next_app_id', (c) => c.json({ app_ids: world.nextAppIds(Number(c.req.query('counts') ?? 1)) }))
  app.get('/kms/:id', (c) => {
    const kms = KMS_LIST.find(({ id, slug }) => [id, slug as string].includes(c.req.param('id')))
    return kms === undefined ? c.json({ detail: 'KMS not found' }, 404) : c.json(kms)
  })
  // A real signature is by the root key of a KMS, over the app id and this key; nothing here has such a key.
  app.get('/kms/:id/pubkey/:app', (c) =>
    c.json({ public_key: world.keyOf(c.req.param('app').replace(/^0x/, '')).published, signature: '00'.repeat(65) }),
  )
  return app
}
