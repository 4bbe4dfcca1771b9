import { inspect } from 'node:util'
import type { z } from 'zod'
import { writeWhole } from '../../verifier/bytes/whole-file.ts'
import { encodeDocument } from '../../verifier/model/document.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { CliIo } from './cli-context.ts'
import { ErrorDocument, errorDocument } from './error-document.ts'
import { visible } from './visible.ts'

/** Prints an answer: with --json its document and nothing else, otherwise the lines for people. */
export async function printAnswer<S extends z.ZodType>(
  io: CliIo,
  answer: { json: boolean; file?: string | undefined; schema: S; value: z.input<S>; lines: () => readonly string[] },
): Promise<void> {
  if (answer.file !== undefined) await writeDocument(answer.file, answer.schema, answer.value)
  io.stdout.write(answer.json ? encodeDocument(answer.schema, answer.value) : `${answer.lines().join('\n')}\n`)
}

export async function writeDocument<S extends z.ZodType>(file: string, schema: S, value: z.input<S>): Promise<void> {
  const text = encodeDocument(schema, value)
  try {
    await writeWhole(file, text)
  } catch (cause) {
    throw new Failure({
      code: 'report-not-written',
      message: 'the report could not be written to the file',
      hint: 'name a file in a folder that is there',
      cause,
    })
  }
}

/** Prints what stopped us: for people on stderr, with --json also as the one document on stdout. */
export function printError(io: CliIo, error: unknown, json: boolean): void {
  const document = errorDocument(error)
  io.stderr.write(`bitwitness: ${visible(document.message)} (${document.code})\n  ${visible(document.hint)}\n`)
  if (io.debug && error instanceof Error) io.stderr.write(`${inspect(error).split('\n').map(visible).join('\n')}\n`)
  if (json) io.stdout.write(encodeDocument(ErrorDocument, document))
}
