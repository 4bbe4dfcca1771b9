import type { ComposeDocument } from './compose-document.ts'
import { entriesOf, itemsOf, type Located, pointerPart, textOf, under } from './located.ts'

export type Variable = {
  readonly name: string
  /** Null: it is taken from outside under the same name. */
  readonly value: string | null
  readonly node: Located
  readonly pointer: string
}

/** Variables that services set, in either form: a list of `NAME=value`, or a map. */
export function* environmentOf({ services }: ComposeDocument): Iterable<Variable> {
  for (const service of services) {
    const node = under(service.node, 'environment')
    const pointer = `${service.pointer}/environment`
    for (const [index, item] of itemsOf(node).entries()) {
      const text = textOf(item) ?? ''
      const cut = text.indexOf('=')
      const name = cut < 0 ? text : text.slice(0, cut)
      yield { name, value: cut < 0 ? null : text.slice(cut + 1), node: item, pointer: `${pointer}/${index}` }
    }
    for (const { key, value } of entriesOf(node)) {
      const given = value.kind === 'scalar' ? value.value : ''
      yield { name: key, value: given === null ? null : String(given), node: value, pointer: `${pointer}/${pointerPart(key)}` }
    }
  }
}
