import { html } from 'hono/html'
import type { MediaType, OpenApiDocument, Operation } from '../openapi-document.ts'
import { type Html, page, prose } from './page.ts'
import { schemaTable, typeOf } from './schema-table.ts'

type Placed = { readonly method: string; readonly path: string; readonly operation: Operation }

/** The API, from its own description. */
export function docsPage(document: OpenApiDocument): Html {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Placed => ({ method, path, operation })),
  )
  const groups = document.tags.map((tag) => ({ tag, operations: operations.filter(({ operation }) => operation.tags.includes(tag.name)) }))
  const body = html`<header>
      <h1>${document.info.title} ${document.info.version}</h1>
      <p>${prose(document.info.description)}</p>
      <p>
        For programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI ${document.openapi}). Every code: <a href="/docs/errors">/docs/errors</a>.
      </p>
    </header>
    <nav aria-label="Requests">
      <ul>
        ${operations.map(({ method, path, operation }) => html`<li><a href="#${operation.operationId}">${method.toUpperCase()} ${path}</a></li>`)}
      </ul>
    </nav>
    <main>
      ${groups.map(
        (group) => html`<section aria-labelledby="tag-${group.tag.name}">
          <h2 id="tag-${group.tag.name}">${group.tag.name}</h2>
          <p>${group.tag.description}</p>
          ${group.operations.map(operationPart)}
        </section>`,
      )}
      <section aria-labelledby="schemas">
        <h2 id="schemas">Documents</h2>
        ${Object.entries(document.components.schemas).map(
          ([name, schema]) => html`<article>
            <h3 id="schema-${name}">${name}</h3>
            ${schemaTable(schema)} ${(schema.examples ?? []).map(example)}
          </article>`,
        )}
      </section>
    </main>`
  return page({ title: `${document.info.title} API`, body })
}

function operationPart({ method, path, operation }: Placed): Html {
  const { operationId, summary, description, security, parameters = [], requestBody, responses } = operation
  return html`<article>
    <h3 id="${operationId}"><code class="method">${method}</code> <code>${path}</code></h3>
    <p>${summary}.${security === undefined ? '' : ' Needs a token.'}</p>
    ${description === undefined ? '' : html`<p>${prose(description)}</p>`}
    ${
      parameters.length === 0
        ? ''
        : html`<div class="wide">
          <table>
            <thead>
              <tr><th scope="col">parameter</th><th scope="col">in</th><th scope="col">type</th><th scope="col">about</th></tr>
            </thead>
            <tbody>
              ${parameters.map(
                (one) => html`<tr>
                  <td><code>${one.name}</code>${one.required === true ? '' : ' (optional)'}</td>
                  <td>${one.in}</td>
                  <td>${typeOf(one.schema)}</td>
                  <td>${prose(one.description)}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`
    }
    ${requestBody === undefined ? '' : html`<p>Body: ${contents(requestBody.content)}</p>`}
    <div class="wide">
      <table>
        <thead>
          <tr><th scope="col">status</th><th scope="col">answer</th></tr>
        </thead>
        <tbody>
          ${Object.entries(responses).map(
            ([status, response]) => html`<tr>
              <td>${status}</td>
              <td>${answer(response)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </article>`
}

function answer({ description, content }: Operation['responses'][string]): Html {
  const problem = content?.['application/problem+json']
  if (problem === undefined) return html`${prose(description)} ${content === undefined ? '' : contents(content)}`
  return html`${description
    .split(', ')
    .map((code, index) => html`${index === 0 ? '' : ', '}<a href="/docs/errors#${code}"><code>${code}</code></a>`)}`
}

function contents(content: Readonly<Record<string, MediaType>>): Html {
  return html`${Object.entries(content).map(([type, { schema }]) => html`<code>${type}</code>: ${typeOf(schema)} `)}`
}

function example(value: unknown): Html {
  return html`<details>
    <summary>Example</summary>
    <pre>${JSON.stringify(value, null, 2)}</pre>
  </details>`
}
