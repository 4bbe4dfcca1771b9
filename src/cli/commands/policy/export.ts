import { visible } from '../../../../verifier/model/visible.ts'
import { appIdOf } from '../../app-id-argument.ts'
import { bundleFlags } from '../../bundle-flags.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { policyArgument } from './file-argument.ts'

type Flags = {
  readonly json: boolean
  readonly format: 'auth-simple'
  readonly appCompose?: readonly string[]
  readonly appId?: string
  readonly bundle?: readonly string[]
  readonly trustedRoot?: string
}

const text = (value: string): string => value

export const exportPolicyFile = command<Flags, [string]>({
  brief: 'Write what a policy allows now as an allowlist, for a KMS that cannot call out; what is left out is said on stderr',
  parameters: {
    flags: {
      format: {
        kind: 'enum',
        values: ['auth-simple'],
        brief: 'The allowlist of dstack’s auth-simple and dstack-auth',
        default: 'auth-simple',
      },
      appCompose: {
        kind: 'parsed',
        parse: text,
        variadic: true,
        optional: true,
        brief: 'app-compose.json to decide about',
        placeholder: 'FILE',
      },
      appId: { kind: 'parsed', parse: appIdOf, optional: true, brief: 'Id of the app; else all that list it', placeholder: 'HEX' },
      ...bundleFlags,
      ...jsonFlag,
    },
    positional: policyArgument,
  },
  async run(io, flags, file) {
    const [{ AuthSimple }, { exportPolicy }, { loadPolicy }, { readBundleFiles }, { readComposeFile }] = await Promise.all([
      import('../../../app/gate/auth-simple.ts'),
      import('../../../app/gate/export-policy.ts'),
      import('../../../app/gate/load-policy.ts'),
      import('../../../app/gate/read-bundle-files.ts'),
      import('../../../app/compose/read-compose-file.ts'),
    ])
    const policy = await loadPolicy(file, io.signal)
    const composes: Uint8Array[] = []
    for (const one of flags.appCompose ?? []) composes.push(await readComposeFile(one, io.signal))
    const { document, left } = await exportPolicy(await io.verifying(), {
      policy,
      composes,
      appId: flags.appId ?? null,
      bundles: flags.bundle === undefined ? null : await readBundleFiles(flags.bundle, io.signal),
      trustedRoot: { file: flags.trustedRoot ?? null, refresh: false },
      signal: io.signal,
    })
    for (const line of left) io.stderr.write(`left out: ${visible(line)}\n`)
    // It is for a program either way.
    await printAnswer(io, { json: true, schema: AuthSimple, value: document, lines: () => [] })
    return EXIT.yes
  },
})
