import { againstCompose, type ComposeRule, sectionOf } from '../compose-rule.ts'
import { entriesOf } from '../located.ts'

const KNOWN = new Set(['version', 'name', 'services', 'networks', 'volumes', 'secrets', 'configs', 'include', 'models'])

export const composeForm: ComposeRule = {
  id: 'compose-form',
  severity: 'deny',
  why: 'What is no Compose file starts nothing, and a section that is not known may start what nobody looked at.',
  remedy: 'Write services, and volumes and networks where they need them (compose-spec).',
  stage1: 2,
  *check(document) {
    const { compose, services } = document
    const root = compose?.root
    if (compose === null || root === undefined) return
    if (root.kind !== 'map') return yield againstCompose('', root, 'it is no map of sections')
    const section = sectionOf(document, 'services')
    if (section === undefined || services.length === 0)
      yield { part: 'docker-compose', pointer: '/services', at: section?.at ?? null, message: 'it has no service' }
    for (const { key, keyAt } of entriesOf(root))
      if (!KNOWN.has(key) && !key.startsWith('x-'))
        yield { part: 'docker-compose', pointer: `/${key}`, at: keyAt, message: 'this section is not known', evidence: [key] }
    for (const { pointer, node } of services)
      if (node.kind !== 'map') yield againstCompose(pointer, node, 'a service is no map of settings')
  },
}
