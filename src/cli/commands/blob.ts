import { parseSha256, type Sha256, withPrefix } from '../../../verifier/model/digest.ts'
import { BlobRead } from '../../app/read-blob.ts'
import { formatSize } from '../../config/size.ts'
import { command, fileFlag, jsonFlag } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { printAnswer } from '../output.ts'
import { TerminalText } from '../terminal-text.ts'

export const blob = command<{ readonly json: boolean; readonly output?: string }, [Sha256]>({
  brief: 'Print what a report names by its digest: a log, a lock, a tree manifest, an explanation',
  fullDescription: [
    'Print what a report names by its digest: a log, a lock, a tree manifest, an explanation.',
    'The bytes come from the home of whoever verified and are held against the digest: on stdout as they are, on a terminal as text',
    'with everything visible that a terminal would obey. If they turn out to be damaged, the end is missing and the exit code is 3.',
  ].join('\n'),
  parameters: {
    flags: { output: fileFlag('File to write, which appears whole or not at all'), ...jsonFlag },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [{ parse: parseSha256, brief: 'Its sha256', placeholder: 'DIGEST' }] },
  },
  async run(io, flags, sha256) {
    await using useCases = await io.open()
    const { output = null, json } = flags
    const text = new TerminalText()
    const show = (bytes: Uint8Array): void => {
      if (!json) io.stdout.write(io.terminal ? text.write(bytes) : bytes)
    }
    const read = await useCases.readBlob({ sha256, output, show, signal: io.signal })
    if (io.terminal && output === null && !json) io.stdout.write(text.end())
    if (json || output !== null)
      await printAnswer(io, { json, schema: BlobRead, value: read, lines: () => [`${withPrefix(sha256)}  ${formatSize(read.size)}`] })
    return EXIT.yes
  },
})
