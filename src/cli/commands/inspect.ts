import { Failure } from '../../../verifier/model/failure.ts'
import type { InspectPorts } from '../../app/inspect/inspect-ports.ts'
import { bundleFlags } from '../bundle-flags.ts'
import type { CliIo } from '../cli-context.ts'
import { command, fileFlag, jsonFlag } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { printAnswer } from '../output.ts'

type Flags = {
  readonly json: boolean
  readonly policy?: string
  readonly measurements?: string
  readonly collateral?: string
  readonly simulatedRoot?: string
  readonly health?: string
  readonly bundle?: readonly string[]
  readonly trustedRoot?: string
}

const text = (value: string): string => value

export const inspect = command<Flags, [string]>({
  brief: 'Look at what runs behind a URL of a dstack gateway, and say what of it is proven',
  fullDescription: [
    'Asks the guest for its quote and its event log, and follows them from the hardware to the attestations of the images. What a guest',
    'says of itself counts once its boot is checked: without --measurements nothing is verified.',
    'Exit code: 0 verified, 1 something does not hold, 3 not proven, or simulated.',
  ].join('\n'),
  parameters: {
    flags: {
      policy: fileFlag('The policy that app, app-compose and images are held against'),
      measurements: fileFlag('What guest images measure to, as dstack-mr prints it, with their os_image_hash'),
      collateral: {
        kind: 'parsed',
        parse: text,
        optional: true,
        brief: 'Intel’s collateral of the platform: a file, or the URL of a PCCS',
        placeholder: 'FILE|URL',
      },
      simulatedRoot: fileFlag('A public key that stands in for Intel’s: everything is simulated then'),
      health: {
        kind: 'parsed',
        parse: pathOf,
        optional: true,
        brief: 'A path of the app that answers with success when all is well',
        placeholder: 'PATH',
      },
      ...bundleFlags,
      ...jsonFlag,
    },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: text, brief: 'https://APP_ID-PORT.DOMAIN, as the gateway has it', placeholder: 'URL' }],
    },
  },
  async run(io, flags, location) {
    if (flags.collateral !== undefined && flags.simulatedRoot !== undefined)
      throw new Failure({
        code: 'quote-root-ambiguous',
        message: 'a quote is held against Intel’s root or against one that stands in for it, and not against both',
        hint: 'give --collateral or --simulated-root',
      })
    const [{ inspectApp }, { parseGatewayUrl }, { Inspection }, { inspectionLines }, { readBootMeasurements }] = await Promise.all([
      import('../../app/inspect/inspect-app.ts'),
      import('../../app/deploy/gateway-url.ts'),
      import('../../app/inspect/inspection.ts'),
      import('../render/inspection.ts'),
      import('../../app/inspect/boot-measurements.ts'),
    ])
    const url = parseGatewayUrl(location)
    const gate = await gateOf(io, flags)
    const measurements = flags.measurements === undefined ? null : await readBootMeasurements(flags.measurements, io.signal)
    const room = await io.inspecting({ collateral: flags.collateral ?? null, simulatedRoot: flags.simulatedRoot ?? null })
    const healthPath = flags.health ?? (url.path === '/' ? null : url.path)
    const inspection = await inspectApp({ ...room, gate }, { url, healthPath, measurements, signal: io.signal })
    await printAnswer(io, { json: flags.json, schema: Inspection, value: inspection, lines: () => inspectionLines(inspection, io) })
    return EXITS[inspection.verdict]
  },
})

const EXITS: Readonly<Record<'verified' | 'failed' | 'unproven' | 'simulated', ExitCode>> = {
  verified: EXIT.yes,
  failed: EXIT.no,
  unproven: EXIT.unknown,
  simulated: EXIT.unknown,
}

async function gateOf(io: CliIo, flags: Flags): Promise<InspectPorts['gate']> {
  if (flags.policy === undefined) return null
  const [{ askGate }, { loadPolicy }, { readBundleFiles }] = await Promise.all([
    import('../../app/gate/ask-gate.ts'),
    import('../../app/gate/load-policy.ts'),
    import('../../app/gate/read-bundle-files.ts'),
  ])
  const policy = await loadPolicy(flags.policy, io.signal)
  const bundles = flags.bundle === undefined ? null : await readBundleFiles(flags.bundle, io.signal)
  const verifying = await io.verifying()
  return async ({ appCompose, appId, guest }, signal) =>
    await askGate(verifying, {
      policy,
      subject: { appCompose, appId },
      boot: guest,
      bundles,
      trustedRoot: { file: flags.trustedRoot ?? null, refresh: false },
      signal,
    })
}

function pathOf(value: string): string {
  if (/^\/[\x21-\x7e]{0,1023}$/.test(value) && !value.includes('#')) return value
  throw new Failure({ code: 'health-path-malformed', message: 'it is no path of an app', hint: 'give it as /healthz, from its slash on' })
}
