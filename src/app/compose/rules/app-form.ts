import type { ComposeDocument } from '../compose-document.ts'
import { againstApp, appSetting, type ComposeObjection, type ComposeRule } from '../compose-rule.ts'
import { textOf } from '../located.ts'

/** What dstack reads of the fields without which it starts nothing (dstack-types/src/lib.rs). */
export const appForm: ComposeRule = {
  id: 'app-form',
  severity: 'deny',
  why: 'A guest that cannot read its app-compose starts nothing, and one that reads a field in another way starts something else than was looked at.',
  remedy:
    'Write it with a JSON library: manifest_version 2 (or, from 3 on, as a text), a name, runner "docker-compose" and docker_compose_file as one text.',
  stage1: null,
  *check(document) {
    const { app } = document
    if (app === null) return
    for (const name of ['manifest_version', 'name', 'runner', 'docker_compose_file'])
      if (appSetting(document, name) === undefined) yield missing(name)
    yield* badVersion(document)
    for (const name of ['name', 'runner', 'docker_compose_file']) {
      const entry = appSetting(document, name)
      if (entry !== undefined && textOf(entry.value) === undefined) yield againstApp(entry, `${name} is no text`)
    }
  },
}

function missing(name: string): ComposeObjection {
  return { part: 'app-compose', pointer: `/${name}`, at: null, message: `${name} is missing` }
}

function* badVersion(document: ComposeDocument): Iterable<ComposeObjection> {
  const entry = appSetting(document, 'manifest_version')
  if (entry === undefined) return
  const version = entry.value.kind === 'scalar' ? entry.value.value : null
  const known = version === 1 || version === 2 || (typeof version === 'string' && /^[1-9]\d{0,3}$/.test(version))
  if (!known) yield againstApp(entry, 'manifest_version is none that dstack takes: the numbers 1 and 2, or a number written as a text')
}
