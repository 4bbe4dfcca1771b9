import { ExportReport } from '../../app/export-report.ts'
import { command, fileFlag, jsonFlag } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { printAnswer } from '../output.ts'
import { exportLines } from '../render/export.ts'

type ExportFlags = {
  readonly json: boolean
  readonly bundle: readonly string[]
  readonly output: string
  readonly key?: string
  readonly trustedRoot?: string
  readonly source?: string
  readonly inputs?: string
  readonly lock?: string
  readonly sbom?: string
}

const text = (value: string): string => value

export const exportProof = command<ExportFlags, [string]>({
  brief: 'Write a report, what was signed of it and what it takes to rebuild into one file, a proof',
  parameters: {
    flags: {
      bundle: { kind: 'parsed', parse: text, variadic: true, brief: 'A bundle that attest wrote of the report', placeholder: 'FILE' },
      output: { kind: 'parsed', parse: text, brief: 'File to write', placeholder: 'FILE' },
      key: fileFlag('The public key that signed, to lie beside it; it proves nothing by lying there'),
      trustedRoot: fileFlag('The trusted root that the bundles verify with, likewise'),
      source: {
        kind: 'parsed',
        parse: text,
        optional: true,
        brief: 'The source that was built, to be carried: one that has no public address',
        placeholder: 'SOURCE',
      },
      inputs: fileFlag('The inputs.tar of the lock, to be carried, so that a machine without mirrors can rebuild'),
      lock: fileFlag("The report's input lock, where it was not verified here"),
      sbom: fileFlag('A bill of materials of the image that was rebuilt, as sbom writes it'),
      ...jsonFlag,
    },
    aliases: { o: 'output' },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: text, brief: 'A report that verify wrote with --json or --report', placeholder: 'REPORT' }],
    },
  },
  async run(io, flags, report) {
    await using useCases = await io.open()
    const { output } = flags
    const exported = await useCases.exportProof({
      report,
      bundles: flags.bundle,
      publicKey: flags.key ?? null,
      trustedRoot: flags.trustedRoot ?? null,
      lock: flags.lock ?? null,
      sbom: flags.sbom ?? null,
      inputs: flags.inputs ?? null,
      source: flags.source ?? null,
      output,
      signal: io.signal,
    })
    await printAnswer(io, {
      json: flags.json,
      schema: ExportReport,
      value: exported,
      lines: () => exportLines(exported, { color: io.color, file: output }),
    })
    return EXIT.yes
  },
})
