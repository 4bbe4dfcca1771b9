import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { httpApp } from '../src/http/app.ts'
import { COMPONENTS } from '../src/http/components.ts'
import { EXAMPLES } from '../src/http/examples.ts'
import { DEFAULT_LIMITS, type HttpApp, type HttpPorts } from '../src/http/http-ports.ts'
import { type OpenApiDocument, openApiDocument } from '../src/http/openapi-document.ts'
import { statusOf } from '../src/http/problems.ts'
import { errorCodes } from '../tools/error-codes.ts'
import { Failure } from '../verifier/model/failure.ts'

const root = path.join(import.meta.dirname, '..')
/** Nothing that this test asks for looks further. */
const PORTS = { limits: DEFAULT_LIMITS, version: '1.2.3', now: () => new Date(), newId: () => 'id', onAnswer: () => {} }
let app: HttpApp
let document: OpenApiDocument

beforeAll(async () => {
  const errors = await readFile(path.join(root, 'docs/errors.md'), 'utf8')
  app = httpApp({ ...PORTS, errorsPage: async () => errors } as unknown as HttpPorts)
  document = (await (await app.request('/openapi.json')).json()) as OpenApiDocument
})

const operations = () =>
  Object.entries(document.paths).flatMap(([at, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ at, method, operation })),
  )

describe('the description of the API', () => {
  it('is one by the schema of the OpenAPI Initiative', async () => {
    const text = await readFile(path.join(root, 'test/testdata/openapi-3.1.schema.yaml'), 'utf8')
    // There is one dialect here; ajv takes a dynamic reference from within for one to something else.
    const schema = parse(text.replaceAll("$dynamicRef: '#meta'", "$ref: '#/$defs/schema'")) as object
    const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { 'media-range': true } })
    addFormats.default(ajv)
    const validate = ajv.compile(schema)
    expect([validate(document), validate.errors]).toEqual([true, null])
    expect(validate({ ...document, paths: { nowhere: {} } })).toBe(false)
  })

  it('has only schemas that are some, with examples that fit them', () => {
    const ajv = new Ajv2020({ strict: true, strictTypes: false, allowUnionTypes: true })
    addFormats.default(ajv)
    const told = (schema: unknown) => JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', 'api#/$defs/')) as object
    ajv.addSchema({ $id: 'api', $defs: told(document.components.schemas) })
    const names = Object.keys(document.components.schemas)
    expect(names.toSorted()).toEqual(Object.keys(COMPONENTS).toSorted())
    for (const name of names) {
      const validate = ajv.compile({ $ref: `api#/$defs/${name}` })
      if (name in EXAMPLES) expect([name, validate(EXAMPLES[name]), validate.errors]).toEqual([name, true, null])
    }
    for (const { operation } of operations())
      for (const { schema } of [
        ...Object.values(operation.requestBody?.content ?? {}),
        ...Object.values(operation.responses).flatMap((one) => Object.values(one.content ?? {})),
      ])
        ajv.compile(told(schema))
  })

  it('shows examples that are what the service takes and gives', () => {
    for (const [name, example] of Object.entries(EXAMPLES))
      expect([name, COMPONENTS[name]?.safeParse(example).error]).toEqual([name, undefined])
  })

  it('has every route that there is, and no other', () => {
    const routes = app.routes
      .filter(({ method, path: at }) => method !== 'ALL' && at !== '/docs/style.css')
      .map(({ method, path: at }) => `${method} ${at.replaceAll(/:(\w+)/g, '{$1}')}`)
    expect([...new Set(routes)].toSorted()).toEqual(
      operations()
        .map(({ at, method }) => `${method.toUpperCase()} ${at}`)
        .toSorted(),
    )
  })

  it('names each request once, in a group that is told of, and says what needs a token', () => {
    const ids = operations().map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const groups = new Set(document.tags.map(({ name }) => name))
    for (const { operation } of operations()) expect(operation.tags.every((tag) => groups.has(tag))).toBe(true)
    const guarded = operations().filter(({ operation }) => operation.security !== undefined)
    expect(guarded.map(({ operation }) => operation.operationId).toSorted()).toEqual([
      'admitCompose',
      'cancel',
      'findImpact',
      'order',
      'readOwner',
      'submit',
      'upload',
      'withdraw',
    ])
    for (const { operation } of guarded) expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '429']))
  })

  it('names parts instead of repeating them', () => {
    expect(document.components.schemas['Verification']?.properties?.['owner']).toEqual({ $ref: '#/components/schemas/Owner' })
    expect(document.components.schemas['Attempt']?.properties?.['report']).toMatchObject({
      oneOf: [{ $ref: '#/components/schemas/AttemptReport' }, { type: 'null' }],
      description: expect.any(String),
    })
    expect(document.paths['/v1/verifications/{id}']?.['get']?.responses['200']?.content?.['application/json']?.schema).toEqual({
      $ref: '#/components/schemas/Verification',
    })
  })

  it('tells every code under its status, each of which is told of in docs/errors.md', () => {
    const known = new Set(errorCodes().map(({ code }) => code))
    for (const { operation } of operations())
      for (const [status, { content, description }] of Object.entries(operation.responses)) {
        const problem = content?.['application/problem+json']?.schema
        if (problem === undefined) continue
        const codes = problem.properties?.['code']?.enum as string[]
        expect(codes.toSorted().join(', ')).toBe(description)
        for (const code of codes) expect([code, statusOf(code), known.has(code)]).toEqual([code, Number(status), true])
      }
  })

  it('does not change when it is made again', () => {
    expect(openApiDocument(app, '1.2.3')).toEqual(document)
  })
})

describe.each(['/openapi.json', '/docs', '/docs/errors', '/docs/style.css'])('%s', (target) => {
  it('is made once, and not sent again to whoever has it', async () => {
    let read = 0
    const errorsPage = async (): Promise<string> => {
      read += 1
      return '| `a-code` | it says | do it |'
    }
    const other = httpApp({ ...PORTS, errorsPage } as unknown as HttpPorts)
    const first = await other.request(target)
    const tag = first.headers.get('etag') ?? ''
    expect(tag).toMatch(/^"[^"]+"$/)
    const bytes = await first.arrayBuffer()
    expect(bytes.byteLength).toBeGreaterThan(100)
    const again = await other.request(target)
    expect([again.headers.get('etag'), await again.arrayBuffer()]).toEqual([tag, bytes])
    for (const known of [tag, `"other", ${tag}`, `W/${tag}`, '*']) {
      const had = await other.request(target, { headers: { 'if-none-match': known } })
      expect([had.status, await had.text(), had.headers.get('etag')]).toEqual([304, '', tag])
      expect(had.headers.get('access-control-allow-origin')).toBe('*')
    }
    expect((await other.request(target, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    expect(read).toBe(target === '/docs/errors' ? 1 : 0)
  })
})

describe('the pages', () => {
  it('are made again where that failed', async () => {
    const texts = [Promise.reject(new Failure({ code: 'internal', message: '', hint: '' })), Promise.resolve('| `a-code` | it | do |')]
    const other = httpApp({ ...PORTS, errorsPage: () => texts.shift() } as unknown as HttpPorts)
    expect([(await other.request('/docs/errors')).status, (await other.request('/docs/errors')).status]).toEqual([500, 200])
  })

  it.each(['/docs', '/docs/errors'])('%s is a page that runs nothing and loads nothing from elsewhere', async (target) => {
    const answer = await app.request(target)
    const text = await answer.text()
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(text).not.toMatch(/<script|javascript:|\son\w+=|style="|@import|url\(/i)
    const links = [...text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link ?? '')
    expect(links.length).toBeGreaterThan(1)
    for (const link of links) expect(link).toMatch(/^(?:#|\/docs|\/openapi\.json)/)
    // Every place that is led to is there.
    const ids = new Set([...text.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id))
    for (const link of links.filter((one) => one.startsWith('#'))) expect([link, ids.has(link.slice(1))]).toEqual([link, true])
    const style = await app.request('/docs/style.css')
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8'])
  })

  it('lead from each code of the API to what it says', async () => {
    const [docs, errors] = await Promise.all(['/docs', '/docs/errors'].map(async (target) => await (await app.request(target)).text()))
    const ids = new Set([...(errors ?? '').matchAll(/<tr id="([^"]*)"/g)].map(([, id]) => id))
    const codes = [...(docs ?? '').matchAll(/href="\/docs\/errors#([^"]*)"/g)].map(([, code]) => code)
    expect(codes.length).toBeGreaterThan(100)
    for (const code of codes) expect([code, ids.has(code)]).toEqual([code, true])
    expect(ids.size).toBe(errorCodes().length)
    expect(errors).toMatch(
      /<td><code>verification-unknown<\/code><\/td>\s*<td>404<\/td>\s*<td>there is no such verification<\/td>\s*<td>check its id<\/td>/,
    )
  })

  it('show types in few words', async () => {
    const text = (await (await app.request('/docs')).text()).replaceAll(/<[^>]*>/g, '')
    for (const said of ['page of Verification', 'list of Claim, 1 to 32 of them', 'Claim', 'integer, 1 to 200, else 50'])
      expect(text).toContain(said)
    // What is written of a pattern in code is none of JSON Schema's.
    expect(JSON.stringify(document)).not.toMatch(/\$\/[a-z]*"/)
  })

  it('show text as text', async () => {
    const hostile = '| `a-code` | <script>alert(1)</script> & "x" \\| y | <b> |'
    const other = httpApp({ ...PORTS, version: '<i>', errorsPage: async () => hostile } as unknown as HttpPorts)
    const errors = await (await other.request('/docs/errors')).text()
    expect(errors).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot; | y')
    expect(errors).not.toMatch(/<script|<b>/)
    expect(await (await other.request('/docs')).text()).not.toContain('<i>')
  })

  it('answers that it is there', async () => {
    expect(await (await app.request('/healthz')).json()).toEqual({ status: 'ok' })
  })
})
