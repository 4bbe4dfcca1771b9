import { Failure } from '../../../../verifier/model/failure.ts'
import type { PinnedReference } from '../../../../verifier/model/image-reference.ts'
import { appIdOf } from '../../app-id-argument.ts'
import { bundleFlags } from '../../bundle-flags.ts'
import { command, fileFlag, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { pinnedArgument } from '../../image-argument.ts'
import { printAnswer } from '../../output.ts'

type Flags = {
  readonly json: boolean
  readonly policy: string
  readonly appCompose?: string
  readonly appId?: string
  readonly bootInfo?: string
  readonly bundle?: readonly string[]
  readonly trustedRoot?: string
}

const text = (value: string): string => value

export const askGateCommand = command<Flags, [PinnedReference?]>({
  brief: 'Ask whether a policy lets an image, or an app, start; signatures are verified now',
  parameters: {
    flags: {
      policy: { kind: 'parsed', parse: text, brief: 'The policy', placeholder: 'POLICY' },
      appCompose: fileFlag('app-compose.json, in place of an image: all that it would start is asked about'),
      appId: {
        kind: 'parsed',
        parse: appIdOf,
        optional: true,
        brief: 'Id of the app; else the one that follows from the app-compose',
        placeholder: 'HEX',
      },
      bootInfo: fileFlag('What a KMS or a gateway says of a guest, as it posts it: the guest is asked about too'),
      ...bundleFlags,
      ...jsonFlag,
    },
    positional: { kind: 'tuple', parameters: [{ ...pinnedArgument, optional: true }] },
  },
  async run(io, flags, image) {
    const [{ askGate }, { loadPolicy }, { Decision }, { decisionLines }, { readBundleFiles }, { readBootFile }] = await Promise.all([
      import('../../../app/gate/ask-gate.ts'),
      import('../../../app/gate/load-policy.ts'),
      import('../../../app/gate/decision.ts'),
      import('../../render/decision.ts'),
      import('../../../app/gate/read-bundle-files.ts'),
      import('../../../app/gate/read-boot-file.ts'),
    ])
    const policy = await loadPolicy(flags.policy, io.signal)
    const decision = await askGate(await io.verifying(), {
      policy,
      subject: await subjectOf(flags, image, io.signal),
      boot: flags.bootInfo === undefined ? null : await readBootFile(flags.bootInfo, io.signal),
      bundles: flags.bundle === undefined ? null : await readBundleFiles(flags.bundle, io.signal),
      trustedRoot: { file: flags.trustedRoot ?? null, refresh: false },
      signal: io.signal,
    })
    await printAnswer(io, { json: flags.json, schema: Decision, value: decision, lines: () => decisionLines(decision, io) })
    return decision.decision === 'allow' ? EXIT.yes : EXIT.no
  },
})

async function subjectOf({ appCompose, appId, bootInfo }: Flags, image: PinnedReference | undefined, signal: AbortSignal) {
  if ((appCompose === undefined) === (image === undefined))
    throw new Failure({
      code: 'gate-subject',
      message: 'the gate is asked about an image or about an app-compose, and one of them has to be given',
      hint: 'give IMAGE@sha256:…, or --app-compose FILE',
    })
  if (image !== undefined && appId !== undefined)
    throw new Failure({
      code: 'gate-subject',
      message: 'an app id says which app runs an app-compose, and an image alone is of no app',
      hint: 'leave --app-id away, or give --app-compose FILE in place of the image',
    })
  if (image !== undefined && bootInfo === undefined) return { image }
  if (image !== undefined)
    throw new Failure({
      code: 'gate-subject',
      message: 'a guest runs an app-compose, and no image alone',
      hint: 'give --app-compose FILE beside --boot-info',
    })
  const { readComposeFile } = await import('../../../app/compose/read-compose-file.ts')
  return { appCompose: await readComposeFile(appCompose ?? '', signal), appId: appId ?? null }
}
