import { OpenAPIHono } from '@hono/zod-openapi'
import { COMPONENTS } from './components.ts'
import { EXAMPLES } from './examples.ts'
import type { HttpApp } from './http-ports.ts'
import { withNamedParts } from './named-parts.ts'

/** As far as pages and tests look into it. */
export type OpenApiDocument = {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export type Operation = {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security?: readonly unknown[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Readonly<Record<string, MediaType>> }>>
}

export type MediaType = { readonly schema: Schema; readonly example?: unknown }

export type Schema = {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
  readonly pattern?: string
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly additionalProperties?: boolean | Schema
  readonly examples?: readonly unknown[]
}

const TAGS = [
  { name: 'submissions', description: 'What an owner asks for. Needs a token.' },
  { name: 'verifications', description: 'What was asked for, and what became of it.' },
  { name: 'attempts', description: 'The runs of a recipe that a verdict rests on.' },
  { name: 'subjects', description: 'What is known about a digest.' },
  { name: 'attestations', description: 'What was signed.' },
  { name: 'apps', description: 'What may run as an app of dstack’s, and what was answered when it wanted to.' },
  { name: 'policies', description: 'What gates ask for, and what they would say.' },
  { name: 'deployments', description: 'Apps that this service deployed, or that were announced to it.' },
  { name: 'blobs', description: 'The bytes behind all of it, by their digest.' },
  { name: 'machines', description: 'What attempts run in and on.' },
  { name: 'owner', description: 'Who you are here.' },
  { name: 'service', description: 'The service itself.' },
]

const ABOUT =
  'Rebuilds mkosi images from source and says whether the bits match. Everything is public to read, from any page; what changes something ' +
  'needs a token, and takes no more than so many requests a minute. Failures are problem documents (RFC 9457) with a stable code. Lists are ' +
  'pages, newest first: follow Link, or hand `next` back as `cursor`.'

/** OpenAPI 3.1 of every route that was added by then. */
export function openApiDocument(app: HttpApp, version: string): OpenApiDocument {
  const registry = app.openAPIRegistry
  registry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token of this service, or the identity token of a CI job whose issuer the service knows.',
  })
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Bitwitness', version, description: ABOUT, license: { name: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    tags: TAGS,
  })
  const named = withNamedParts(document, componentSchemas()) as OpenApiDocument
  const schemas = Object.fromEntries(
    Object.entries(named.components.schemas).map(([name, schema]) => [
      name,
      name in EXAMPLES ? { ...schema, examples: [EXAMPLES[name]] } : schema,
    ]),
  )
  return { ...named, components: { ...named.components, schemas } }
}

/**
 * The named documents as the generator writes them, each as if a route answered with it alone: to be registered, a schema would have to be
 * made after the library was loaded, and these belong to others.
 */
function componentSchemas(): Readonly<Record<string, unknown>> {
  const alone = new OpenAPIHono()
  for (const [name, schema] of Object.entries(COMPONENTS))
    alone.openAPIRegistry.registerPath({
      method: 'get',
      path: `/${name}`,
      responses: { 200: { description: name, content: { 'application/json': { schema } } } },
    })
  const { paths = {} } = alone.getOpenAPI31Document({ openapi: '3.1.0', info: { title: '', version: '' } })
  return Object.fromEntries(Object.keys(COMPONENTS).map((name) => [name, schemaOf(paths[`/${name}`]?.get?.responses?.['200'])]))
}

function schemaOf(response: unknown): unknown {
  return (response as { readonly content: Readonly<Record<string, MediaType>> }).content['application/json']?.schema
}
