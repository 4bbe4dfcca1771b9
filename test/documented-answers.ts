import type { HttpApp } from '../src/http/http-ports.ts'
import { type OpenApiDocument, type Operation, openApiDocument } from '../src/http/openapi-document.ts'

const documents = new Map<string, OpenApiDocument>()

/** The description that an app gives of itself. Made once for all apps that have the same routes: it takes a while. */
export function documentOf(app: HttpApp): OpenApiDocument {
  const routes = app.routes.map(({ method, path }) => `${method} ${path}`).join('\n')
  const document = documents.get(routes) ?? openApiDocument(app, '0.0.0-test')
  documents.set(routes, document)
  return document
}

/** Codes that an operation tells of, by status; `null` for a status without a problem. */
export function answersOf({ responses }: Operation): ReadonlyMap<number, readonly string[] | null> {
  return new Map(
    Object.entries(responses).map(([status, { content }]) => {
      const codes = content?.['application/problem+json']?.schema.properties?.['code']?.enum
      return [Number(status), codes === undefined ? null : (codes as readonly string[])]
    }),
  )
}

/** Fails for an answer that the description does not tell of: clients are made from it. */
export function requireDocumented(app: HttpApp, o: { method: string; target: string; status: number; code: string | undefined }): void {
  const { pathname } = new URL(o.target, 'http://localhost')
  const found = Object.entries(documentOf(app).paths).find(([path]) => fits(path, pathname))
  const operation = found?.[1][(o.method === 'HEAD' ? 'GET' : o.method).toLowerCase()]
  if (operation === undefined) {
    if (o.status === (found === undefined ? 404 : 405) || o.method === 'OPTIONS') return
    throw new Error(`${o.method} ${o.target} answered ${o.status}, and is told of nowhere`)
  }
  const codes = answersOf(operation).get(o.status)
  if (codes === undefined || (o.code !== undefined && codes?.includes(o.code) !== true))
    throw new Error(`${operation.operationId} answered ${o.status} ${o.code ?? ''}, which it does not tell of`)
}

function fits(path: string, pathname: string): boolean {
  const [wanted, given] = [path.split('/'), pathname.split('/')]
  return wanted.length === given.length && wanted.every((part, at) => (part.startsWith('{') && given[at] !== '') || part === given[at])
}
