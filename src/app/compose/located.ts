/** A value of a JSON or YAML text, with the offset at which it begins there. */
export type Located =
  | { readonly kind: 'map'; readonly at: number; readonly entries: readonly LocatedEntry[] }
  | { readonly kind: 'list'; readonly at: number; readonly items: readonly Located[] }
  | {
      readonly kind: 'scalar'
      readonly at: number
      readonly value: string | number | boolean | null
      /** Whether it stands there without quotes. */
      readonly isPlain: boolean
    }

export type LocatedEntry = { readonly key: string; readonly keyAt: number; readonly value: Located }

/** The value under a key; undefined where it is no map, or has none. */
export function under(node: Located | undefined, key: string): Located | undefined {
  return node?.kind === 'map' ? node.entries.find((entry) => entry.key === key)?.value : undefined
}

export function entriesOf(node: Located | undefined): readonly LocatedEntry[] {
  return node?.kind === 'map' ? node.entries : []
}

export function itemsOf(node: Located | undefined): readonly Located[] {
  return node?.kind === 'list' ? node.items : []
}

/** A text; undefined for anything else. */
export function textOf(node: Located | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
}

/** True or false; undefined for anything else. Compose takes `"true"` for a boolean too. */
export function isOn(node: Located | undefined): boolean | undefined {
  if (node?.kind !== 'scalar') return undefined
  if (typeof node.value === 'boolean') return node.value
  return node.value === 'true' ? true : node.value === 'false' ? false : undefined
}

/** Without places. Maps have no prototype's names, so `__proto__` is a key like any other. */
export function plainOf(node: Located): unknown {
  switch (node.kind) {
    case 'map':
      return Object.fromEntries(node.entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ key, value }) => [key, plainOf(value)]))
    case 'list':
      return node.items.map(plainOf)
    case 'scalar':
      return node.value
  }
}

/** Every scalar below a node, with the JSON Pointer (RFC 6901) that leads to it. */
export function* scalarsOf(
  node: Located,
  pointer: string,
): Iterable<{ readonly node: Located & { kind: 'scalar' }; readonly pointer: string }> {
  if (node.kind === 'scalar') yield { node, pointer }
  else if (node.kind === 'list') for (const [index, item] of node.items.entries()) yield* scalarsOf(item, `${pointer}/${index}`)
  else for (const { key, value } of node.entries) yield* scalarsOf(value, `${pointer}/${pointerPart(key)}`)
}

export function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
