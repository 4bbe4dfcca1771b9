import { z } from 'zod'
import { type Answer, askServer, type HttpRequest } from './http-answer.ts'
import { type Service, serviceFailure } from './service-failure.ts'

/** An answer with a status that the caller wanted. */
export type Wanted = { readonly status: number; readonly location: string | null; readonly body: Uint8Array }

/** Asks one of the servers; anything but a status of `wanted` is a failure of that server. */
export async function askService(service: Service, request: HttpRequest, wanted: readonly number[]): Promise<Wanted> {
  const answer: Answer = await askServer(request)
  switch (answer.kind) {
    case 'unreachable':
      throw serviceFailure(service, 'unreachable', answer.errno === undefined ? {} : { errno: answer.errno })
    case 'timeout':
      throw serviceFailure(service, 'timeout')
    case 'too-long':
      throw serviceFailure(service, 'malformed')
    case 'answered': {
      const { status } = answer
      if (wanted.includes(status)) return answer
      if (status >= 500 || status === 408 || status === 429) throw serviceFailure(service, 'failed', { status })
      // A redirection counts as refused as well: what we send goes nowhere but where the settings say.
      throw serviceFailure(service, status >= 300 ? 'refused' : 'malformed', { status })
    }
  }
}

/** Reads JSON of a server by a schema. Neither the text nor zod's words about it go further. */
export function readJson<S extends z.ZodType>(service: Service, schema: S, bytes: Uint8Array): z.output<S> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw serviceFailure(service, 'malformed')
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw serviceFailure(service, 'malformed')
  return parsed.data
}

/** Standard base64 with its padding, as bytes. */
export const Base64 = z
  .string()
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)
  .transform((text) => Buffer.from(text, 'base64'))

/** Hexadecimal digits as bytes. */
export const Hex = z
  .string()
  .regex(/^(?:[0-9a-f]{2})*$/)
  .transform((text) => Buffer.from(text, 'hex'))

/** An int64 as JSON numbers or as the strings that protobuf's JSON writes. */
export const Count = z.union([z.number().int().nonnegative(), z.string().regex(/^\d{1,19}$/)]).transform(String)

/** A path below a base address that ends in a slash. */
export function below(base: URL, path: string): URL {
  return new URL(path, base.href.endsWith('/') ? base.href : `${base.href}/`)
}
