import { html } from 'hono/html'
import type { Schema } from '../openapi-document.ts'
import { type Html, prose } from './page.ts'

/** The properties of a schema, a line each; of one that is no object, what it is. */
export function schemaTable(schema: Schema): Html {
  const { properties, required = [] } = schema
  if (properties === undefined) return html`<p>${typeOf(schema)}</p>`
  return html`<div class="wide">
    <table>
      <thead>
        <tr><th scope="col">property</th><th scope="col">type</th><th scope="col">about</th></tr>
      </thead>
      <tbody>
        ${Object.entries(properties).map(
          ([name, property]) => html`<tr>
            <td><code>${name}</code>${required.includes(name) ? '' : ' (optional)'}</td>
            <td>${typeOf(property)}</td>
            <td>${prose(property.description)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

/** In a few words: `list of Claim, at most 32`. */
export function typeOf(schema: Schema): Html {
  const { $ref, oneOf, anyOf, items, type, properties } = schema
  const name = $ref?.split('/').at(-1)
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`
  const forms = oneOf ?? anyOf
  if (forms !== undefined) return joined(forms.map(typeOf), ' or ')
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`
  if (schema.enum !== undefined)
    return joined(
      schema.enum.map((value) => html`<code>${JSON.stringify(value)}</code>`),
      ', ',
    )
  const types = (typeof type === 'string' ? [type] : (type ?? ['any'])).join(' or ')
  if (properties?.['next'] !== undefined && properties['items']?.items !== undefined)
    return html`page of ${typeOf(properties['items'].items)}`
  if (items !== undefined) return html`list of ${typeOf(items)}${bounds(schema)}`
  if (properties !== undefined)
    return html`${types} of ${joined(
      Object.keys(properties).map((key) => html`<code>${key}</code>`),
      ', ',
    )}`
  return html`${types}${bounds(schema)}`
}

function bounds({ format, pattern, minimum, maximum, minLength, maxLength, minItems, maxItems, default: otherwise }: Schema): string {
  const said = [
    format,
    pattern === undefined || format !== undefined ? undefined : `like ${pattern}`,
    range(minimum, maximum, ''),
    range(minLength, maxLength, ' characters'),
    range(minItems, maxItems, ' of them'),
    otherwise === undefined ? undefined : `else ${JSON.stringify(otherwise)}`,
  ].filter((word) => word !== undefined)
  return said.length === 0 ? '' : `, ${said.join(', ')}`
}

function range(least: number | undefined, most: number | undefined, unit: string): string | undefined {
  if (least === undefined && most === undefined) return undefined
  // The largest whole number that JSON carries is no bound that anybody meets.
  const upper = most === undefined || most >= Number.MAX_SAFE_INTEGER ? undefined : most
  if (upper === undefined) return least === undefined || least <= Number.MIN_SAFE_INTEGER ? undefined : `at least ${least}${unit}`
  return least === undefined || least <= Number.MIN_SAFE_INTEGER ? `at most ${upper}${unit}` : `${least} to ${upper}${unit}`
}

function joined(parts: readonly Html[], between: string): Html {
  return html`${parts.map((part, index) => (index === 0 ? part : html`${between}${part}`))}`
}
