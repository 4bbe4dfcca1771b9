import { AttestationSet } from '../../app/attestation-set.ts'
import { command, fileFlag, jsonFlag } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { printAnswer } from '../output.ts'
import { attestLines } from '../render/attest.ts'

type AttestFlags = {
  readonly json: boolean
  readonly output?: string
  readonly owner?: string
  readonly key?: string
  readonly lock?: string
  readonly sbom?: string
  readonly dsse: boolean
}

const text = (value: string): string => value

export const attest = command<AttestFlags, [string]>({
  brief: 'Sign what a verification report says, as statements that other tools check',
  parameters: {
    flags: {
      ...jsonFlag,
      output: {
        kind: 'parsed',
        parse: text,
        brief: 'Folder to write to, which must be empty or not exist; beside the report if not given',
        optional: true,
        placeholder: 'FOLDER',
      },
      owner: {
        kind: 'parsed',
        parse: text,
        brief: 'Who had it verified: an account, e-mail address or URL, which the signer must not belong to',
        optional: true,
        placeholder: 'OWNER',
      },
      key: fileFlag('Sign with this key, a private one in PEM, instead of what the settings say'),
      lock: fileFlag("The report's input lock, so that the provenance names each input"),
      sbom: fileFlag('A bill of materials of the image that was rebuilt, as sbom writes it, to be signed as well'),
      dsse: {
        kind: 'boolean',
        brief: 'Write bare envelopes too, for tools that read no bundles; with a key only',
        default: false,
        withNegated: false,
      },
    },
    aliases: { o: 'output' },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: text, brief: 'A report that verify wrote with --json or --report', placeholder: 'REPORT' }],
    },
  },
  async run(io, flags, report) {
    const room = await io.signing({ key: flags.key ?? null })
    const { attest: sign } = await import('../../app/attest.ts')
    const folder = flags.output ?? `${report.replace(/\.json$/, '')}.attestations`
    const set = await sign(await room.ports(), {
      report,
      output: folder,
      owner: flags.owner ?? null,
      lock: flags.lock ?? null,
      sbom: flags.sbom ?? null,
      envelopes: flags.dsse,
      signal: io.signal,
    })
    await printAnswer(io, {
      json: flags.json,
      schema: AttestationSet,
      value: set,
      lines: () => attestLines(set, { color: io.color, folder }),
    })
    return EXIT.yes
  },
})
