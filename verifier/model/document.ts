import type { z } from 'zod'

/** The one text of a document: keys in the schema's order (`schema` and `verdict` first), two spaces, a line break at the end. Throws zod's error if it does not fit. */
export function encodeDocument<S extends z.ZodType>(schema: S, value: z.input<S>): string {
  return `${JSON.stringify(schema.parse(value), null, 2)}\n`
}
