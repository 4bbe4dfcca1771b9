import { type ChangesDocument, ChangesDocument as Document } from '../../app/changes/changes-document.ts'
import { command, jsonFlag } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { printAnswer } from '../output.ts'

type ChangesFlags = {
  readonly json: boolean
  readonly markdown: boolean
  readonly older?: readonly string[]
  readonly newer?: readonly string[]
  readonly artifact?: string
}

const text = (value: string): string => value
const image = (placeholder: string) => ({
  parse: text,
  brief: 'A folder that build wrote, a proof, a tar, a tree manifest, a bill of materials or an input lock',
  placeholder,
})
const further = (which: string) =>
  ({
    kind: 'parsed',
    parse: text,
    brief: `One more of these about the ${which} image`,
    placeholder: 'FILE',
    variadic: true,
    optional: true,
  }) as const

export const changes = command<ChangesFlags, [string, string]>({
  brief: 'Say what changed from one image to the next: packages and files',
  parameters: {
    flags: {
      older: further('older'),
      newer: further('newer'),
      artifact: {
        kind: 'parsed',
        parse: text,
        brief: 'Artifact to look at, where there are several that are trees',
        placeholder: 'NAME',
        optional: true,
      },
      markdown: { kind: 'boolean', brief: 'Print Markdown, for a job summary or a release page', default: false, withNegated: false },
      ...jsonFlag,
    },
    positional: { kind: 'tuple', parameters: [image('OLD'), image('NEW')] },
  },
  async run(io, flags, older, newer) {
    const app = await import('../../app/changes/changes.ts')
    const { changesLines } = await import('../render/changes.ts')
    const { changesMarkdown } = await import('../render/changes-markdown.ts')
    await using room = await io.scratch()
    const found = await app.changes({
      older: [older, ...(flags.older ?? [])],
      newer: [newer, ...(flags.newer ?? [])],
      artifact: flags.artifact ?? null,
      blobs: room.blobs,
      scratch: room.path,
      signal: io.signal,
    })
    const lines = (): string[] => (flags.markdown ? changesMarkdown(found) : changesLines(found))
    await printAnswer(io, { json: flags.json, schema: Document, value: found, lines })
    return exitOfChanges(found)
  },
})

function exitOfChanges({ verdict }: ChangesDocument): ExitCode {
  return { unchanged: EXIT.yes, changed: EXIT.no, undecided: EXIT.unknown }[verdict]
}
