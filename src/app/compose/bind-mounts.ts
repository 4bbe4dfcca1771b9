import type { ComposeDocument } from './compose-document.ts'
import { itemsOf, type Located, textOf, under } from './located.ts'

export type BindMount = {
  /** Path on the guest, without steps that lead nowhere. */
  readonly source: string
  readonly node: Located
  readonly pointer: string
}

/** Folders and files of the guest that are mounted into containers; volumes that have a name are none. */
export function* bindMounts({ services }: ComposeDocument): Iterable<BindMount> {
  for (const service of services)
    for (const [index, node] of itemsOf(under(service.node, 'volumes')).entries()) {
      const source = sourceOf(node)
      if (source !== undefined) yield { source: straight(source), node, pointer: `${service.pointer}/volumes/${index}` }
    }
}

function sourceOf(node: Located): string | undefined {
  const short = textOf(node)
  if (short !== undefined) {
    const [source = ''] = short.split(':', 1)
    return short.includes(':') && /^[./~$]/.test(source) ? source : undefined
  }
  const type = textOf(under(node, 'type'))
  const source = textOf(under(node, 'source')) ?? textOf(under(node, 'src'))
  return type === 'bind' || type === 'npipe' || /^[./~$]/.test(source ?? '') ? (source ?? '') : undefined
}

function straight(source: string): string {
  const steps: string[] = []
  for (const step of source.split('/')) {
    if (step === '' || step === '.') continue
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop()
    else if (step !== '..' || !source.startsWith('/')) steps.push(step)
  }
  return `${source.startsWith('/') ? '/' : ''}${steps.join('/')}` || '.'
}
