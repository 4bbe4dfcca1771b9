import { readFileSync } from 'node:fs'
import { publicGoodSnapshot } from '../attestations/verify/public-good.ts'
import { lintCompose } from '../src/app/compose/lint-compose.ts'
import { attestedFacts, guestFacts } from '../src/app/gate/attested-facts.ts'
import { readBootInfo } from '../src/app/gate/boot-info.ts'
import { decideGate } from '../src/app/gate/decide-gate.ts'
import { holdAttestations } from '../src/app/gate/hold-attestations.ts'
import { readPolicy } from '../src/app/gate/read-policy.ts'

/**
 * `node test/gate-alone.ts POLICY COMPOSE BUNDLE BOOT`: what a webhook without a service would do, with files in place of a network. Prints what it
 * decides.
 */
const [policyFile = '', composeFile = '', bundleFile = '', bootFile = ''] = process.argv.slice(2)
const { policy, sha256 } = readPolicy(readFileSync(policyFile))
const boot = readBootInfo(JSON.parse(readFileSync(bootFile, 'utf8')))
if (policy === undefined) throw new Error('no policy')
const lint = lintCompose(readFileSync(composeFile))
const now = new Date()
const trustedRoot = publicGoodSnapshot()
const { signal } = new AbortController()
const about = { images: lint.images, osImageHash: boot.osImageHash }
const { images, osImage } = await attestedFacts(policy, about, ({ digest: artifact }) =>
  holdAttestations([readFileSync(bundleFile)], { policy, artifact, trustedRoot, now, signal }),
)
const app = { id: boot.appId, compose: { hash: boot.composeHash, lint, admittedBy: null } }
const decision = decideGate({ policy, sha256 }, { now, images, app, guest: guestFacts(boot, osImage) })
process.stdout.write(`${JSON.stringify(decision)}\n`)
