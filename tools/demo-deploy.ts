import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { readDeployState } from '../src/app/deploy/deploy-state.ts'
import { GuestHostStandIn } from '../test/stand-ins/guest-host.ts'
import { IMAGE as GUEST_IMAGE } from '../test/stand-ins/vmm-guests.ts'
import { say, title } from './demo-commands.ts'
import { DemoFailed } from './demo-files.ts'
import type { Composed, Reproduced } from './demo-gate.ts'
import { APP_ID, OS_IMAGE_HASH } from './demo-policy.ts'
import type { DemoService } from './demo-service.ts'

const DEVICE_ID = 'de'.repeat(32)
/** One word: printed, it is no file of this machine. */
const HEALTH = '--health=/health'

/** Deploys what the gate allows to a stand-in for dstack, looks at it from outside, and tries to deploy what the gate denies. */
export async function demonstrateDeployment(o: Reproduced, composed: Composed, service: DemoService): Promise<void> {
  const { commands, out, bundle } = o
  title('9. It is deployed: SIMULATED, to a stand-in for dstack on this machine, since here is no TEE')
  const webhook = new URL(`v1/dstack/${path.basename(composed.policy, '.yaml')}/`, service.url)
  await using host = await GuestHostStandIn.start({ osImageHash: OS_IMAGE_HASH, deviceId: DEVICE_ID })
  host.ask(webhook)
  const { vmm, gateway } = host
  say('*** From here on nothing is real but what bitwitness does: VMM, KMS, gateway, guest and Intel’s signature are stand-ins. ***\n')
  say(`The stand-in for dstack’s VMM listens on ${vmm.url.href}. Its KMS gives a guest its keys, and its gateway traffic, only where the`)
  say(`service says so, under ${webhook.href}\n`)
  const roots = path.join(out, 'simulated')
  await mkdir(roots)
  const files = await host.writeRoots(roots)
  say(
    'Whoever deploys has a token by which the service takes app-composes from them:\n\n$ bitwitness token create deployer --scope admit\n',
  )
  const words = ['token', 'create', 'deployer', '--scope', 'admit']
  const token = (await commands.output(words, service.environment)).trim()
  const environment = { BITWITNESS_TOKEN: token, BITWITNESS_GATEWAYS: gateway.setting, NODE_EXTRA_CA_CERTS: files.authority }
  const deploy = async (folder: string, expected: 'running' | 'denied'): Promise<void> => {
    const appCompose = path.join(folder, 'app-compose.json')
    const target = ['--target', 'dstack-vmm', '--vmm', vmm.url.href, '--image', GUEST_IMAGE, '--os-image-hash', `sha256:${OS_IMAGE_HASH}`]
    const asked = ['--app-compose', appCompose, '--name', path.basename(folder), '--policy', composed.policy, '--bundle', bundle]
    const live = ['--app-id', APP_ID, '--port', '3000', HEALTH, '--server', service.url]
    await commands.run(['deploy', ...asked, ...target, ...live], expected === 'running' ? 0 : 1, environment)
    const state = await readDeployState(`${appCompose}.deploy-state.json`, new AbortController().signal)
    if (state?.deployment?.state !== expected) throw new DemoFailed(`the deployment is not ${expected}`)
  }
  await deploy(composed.admitted, 'running')
  const [guest] = vmm.guests
  if (vmm.everStarted !== 1 || guest?.bootProgress !== 'done') throw new DemoFailed('the guest did not start, or got no keys')
  say('\n=> running: the gate allowed it, the KMS and the gateway asked the service as well, and / and /health answer. Exit code 0.\n')

  title('10. Anybody looks at what runs behind the live URL')
  const url = gateway.url(APP_ID, { port: 3000 })
  const quote = ['--simulated-root', files.root, '--measurements', files.measurements]
  await commands.run(['inspect', url, HEALTH, '--policy', composed.policy, '--bundle', bundle, ...quote], 3, environment)
  say('\n=> simulated: each link holds, and the first hangs on a key that stands in for Intel’s, so that nothing is proven. Exit code 3.')

  title('11. The app-compose with the other digit is deployed')
  await deploy(composed.tampered, 'denied')
  if (vmm.everStarted !== 1 || vmm.present.length !== 1) throw new DemoFailed('something was started that the gate denies')
  say('\n=> denied: nothing was started, and nothing of it lies at the VMM. Exit code 1.')
}
