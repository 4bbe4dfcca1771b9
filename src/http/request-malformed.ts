import { Failure } from '../../verifier/model/failure.ts'

type Issue = { readonly code?: string; readonly path: readonly PropertyKey[] }

const PLACES: Readonly<Record<string, string>> = { json: 'body', query: 'query', param: 'path', header: 'header' }
const WORDS: Readonly<Record<string, string>> = {
  invalid_type: 'is missing, or of another type',
  too_big: 'is too large or too long',
  too_small: 'is too small or too short',
  invalid_format: 'is not written as it must be',
  invalid_value: 'is none of the values that there are',
  invalid_union: 'has none of the forms that there are',
  unrecognized_keys: 'has a key that is not known',
}
/** Places that are named at once. */
const MOST = 3

type Looked = { readonly target: string } & (
  | { readonly success: true }
  | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } }
)

/** Turns away what a schema does not take: by the place, in words of ours, and with nothing that was sent. */
export function refuseMalformed(looked: Looked): void {
  if (!looked.success) throw requestMalformed(looked.target, looked.error.issues)
}

function requestMalformed(target: string, issues: readonly Issue[]): Failure {
  const place = PLACES[target] ?? 'request'
  const said = issues
    .slice(0, MOST)
    .map(({ code, path }) => `${place}${path.map((step) => `/${String(step)}`).join('')} ${WORDS[code ?? ''] ?? 'cannot be'}`)
  return new Failure({
    code: 'request-malformed',
    message: said.length === 0 ? `the ${place} cannot be read` : said.join('; '),
    hint: '/docs and /openapi.json say what is taken',
  })
}
