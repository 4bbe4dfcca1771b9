type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Part = { readonly [key: string]: Json }

/**
 * A document in which every part that is one of the named schemas refers to it (`#/components/schemas/NAME`), what may be null or has a
 * description of its own included. What a schema is made of is compared as it is written: the same generator wrote all of it.
 */
export function withNamedParts(document: unknown, named: Readonly<Record<string, unknown>>): unknown {
  const names = new Map(Object.entries(named).map(([name, schema]) => [JSON.stringify(schema), name]))
  const refer = (part: Part): Part | undefined => {
    const { description, ...rest } = part
    const said = description === undefined ? {} : { description }
    const name = names.get(JSON.stringify(rest))
    if (name !== undefined) return { $ref: `#/components/schemas/${name}`, ...said }
    const bare = withoutNull(rest)
    const bareName = bare === undefined ? undefined : names.get(JSON.stringify(bare))
    return bareName === undefined ? undefined : { oneOf: [{ $ref: `#/components/schemas/${bareName}` }, { type: 'null' }], ...said }
  }
  const walk = (value: Json): Json => {
    if (typeof value !== 'object' || value === null) return value
    if (isList(value)) return value.map(walk)
    return refer(value) ?? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]))
  }
  // The schemas themselves stay: only what is in them is named.
  const inside = (schema: Json): Json =>
    typeof schema === 'object' && schema !== null && !isList(schema)
      ? Object.fromEntries(Object.entries(schema).map(([key, inner]) => [key, walk(inner)]))
      : schema
  const { components, ...rest } = plain(document) as { readonly components?: Part } & Part
  const schemas = Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, inside(plain(schema))]))
  return { ...(walk(rest) as Part), components: { ...components, schemas } }
}

/** The same schema without null among its values; undefined where null is none of them. */
function withoutNull(schema: Part): Part | undefined {
  const { type, oneOf } = schema
  if (isList(type) && type.length === 2 && type[1] === 'null' && type[0] !== undefined) return { ...schema, type: type[0] }
  if (!isList(oneOf) || JSON.stringify(oneOf.at(-1)) !== '{"type":"null"}') return undefined
  return { ...schema, oneOf: oneOf.slice(0, -1) }
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json
