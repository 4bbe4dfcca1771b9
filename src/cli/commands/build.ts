import { BuildManifest } from '../../../verifier/model/build-manifest.ts'
import { command } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { LogTail } from '../log-tail.ts'
import { printAnswer } from '../output.ts'
import { type RebuildFlags, rebuildFlags, rebuilding } from '../rebuild-flags.ts'
import { buildLines } from '../render/build.ts'
import { requireReportFile } from '../report-file.ts'
import { sourceArgument } from '../source-argument.ts'

type BuildFlags = RebuildFlags & { readonly output: string }

export const build = command<BuildFlags, [string]>({
  brief: 'Build a recipe as its publisher: the image, its OCI layout, the lock, the inputs and what to claim',
  parameters: {
    flags: {
      output: {
        kind: 'parsed',
        parse: (text: string): string => text,
        brief: 'Folder to write to, which must be empty or not exist',
        placeholder: 'FOLDER',
      },
      ...rebuildFlags,
    },
    aliases: { o: 'output' },
    positional: sourceArgument,
  },
  async run(io, flags, source) {
    const tail = new LogTail()
    await requireReportFile(flags.report, flags.output)
    await using useCases = await io.open()
    const manifest = await rebuilding(io, flags, source, (o) => useCases.build({ ...o, emit: tail.before(o.emit), output: flags.output }))
    await printAnswer(io, {
      json: flags.json,
      file: flags.report,
      schema: BuildManifest,
      value: manifest,
      lines: () => buildLines(manifest, { color: io.color, folder: flags.output, tail, source, attempts: flags.attempts }),
    })
    return exitOfBuild(manifest.verdict)
  },
})

export function exitOfBuild(verdict: BuildManifest['verdict']): ExitCode {
  switch (verdict) {
    case 'built':
      return EXIT.yes
    case 'build-failed':
    case 'refused':
    case 'limit':
    case 'nondeterministic':
      return EXIT.no
    case 'input-unavailable':
    case 'input-differs':
    case 'infrastructure':
      return EXIT.unknown
    case 'cancelled':
      return EXIT.interrupted
  }
}
