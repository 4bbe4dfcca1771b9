import { command, jsonFlag } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { printAnswer } from '../output.ts'
import { sbomLines } from '../render/sbom.ts'

type SbomFlags = { readonly json: boolean; readonly artifact?: string; readonly output?: string }

const text = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: (value: string): string => value, brief, placeholder, optional: true }) as const

export const sbom = command<SbomFlags, [string]>({
  brief: 'Write what a built image consists of, as a CycloneDX document',
  parameters: {
    flags: {
      artifact: text('Artifact of the build, where it has several that are trees', 'NAME'),
      output: text('File to write, instead of ARTIFACT.cdx.json in the folder', 'FILE'),
      ...jsonFlag,
    },
    aliases: { o: 'output' },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: (value: string): string => value, brief: 'Folder that build wrote', placeholder: 'FOLDER' }],
    },
  },
  async run(io, flags, folder) {
    const app = await import('../../app/sbom.ts')
    const { artifact = null, output = null } = flags
    const written = await app.sbom({ folder, artifact, output, version: await io.version(), signal: io.signal })
    await printAnswer(io, { json: flags.json, schema: app.SbomWritten, value: written, lines: () => sbomLines(written) })
    return EXIT.yes
  },
})
