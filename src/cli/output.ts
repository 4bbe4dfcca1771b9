import { inspect } from 'node:util'
import type { z } from 'zod'
import { writeWhole } from '../../verifier/bytes/whole-file.ts'
import { encodeDocument } from '../../verifier/model/document.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { shownName } from '../../verifier/model/shown-name.ts'
import { visible } from '../../verifier/model/visible.ts'
import type { CliIo } from './cli-context.ts'
import { ErrorDocument, errorDocument } from './error-document.ts'

/**
 * Prints an answer: with --json its document and nothing else, otherwise the lines for people. What it took to find it out is not to be lost
 * to a file that cannot be written: that comes after. Rejects as `writeDocument` does.
 */
export async function printAnswer<S extends z.ZodType>(
  io: CliIo,
  answer: { json: boolean; file?: string | undefined; schema: S; value: z.input<S>; lines: () => readonly string[] },
): Promise<void> {
  io.stdout.write(answer.json ? encodeDocument(answer.schema, answer.value) : `${answer.lines().join('\n')}\n`)
  if (answer.file !== undefined) await writeDocument(answer.file, answer.schema, answer.value)
}

/** Writes beside an answer that was printed already. Failure: `report-not-written`. */
export async function writeDocument<S extends z.ZodType>(file: string, schema: S, value: z.input<S>): Promise<void> {
  const text = encodeDocument(schema, value)
  try {
    await writeWhole(file, text)
  } catch (cause) {
    throw new ReportNotWritten({
      code: 'report-not-written',
      message: `the report could not be written to ${shownName(file)}`,
      hint: 'the answer was printed: nothing but the file is missing; make room, or look at who may write there',
      cause,
    })
  }
}

/** Comes after the answer. */
class ReportNotWritten extends Failure {}

/** Prints what stopped us: for people on stderr, with --json also as the one document on stdout, unless the answer is there already. */
export function printError(io: CliIo, error: unknown, json: boolean): void {
  const document = errorDocument(error)
  io.stderr.write(`bitwitness: ${visible(document.message)} (${document.code})\n  ${visible(document.hint)}\n`)
  if (io.debug && error instanceof Error) io.stderr.write(`${inspect(error).split('\n').map(visible).join('\n')}\n`)
  if (json && !(error instanceof ReportNotWritten)) io.stdout.write(encodeDocument(ErrorDocument, document))
}
