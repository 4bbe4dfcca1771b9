import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { ComposeDocument, ComposeService } from './compose-document.ts'
import type { ComposeFinding, ComposePart, ComposeSeverity, Stage1Item } from './compose-finding.ts'
import { entriesOf, type Located, type LocatedEntry, plainOf, pointerPart, under } from './located.ts'

/** What a rule has against one place. */
export type ComposeObjection = {
  readonly part: ComposePart
  readonly pointer: string
  /** Offset in the part's text; null where it is about what is not there. */
  readonly at: number | null
  readonly message: string
  readonly evidence?: readonly string[]
  /** The value that it is about, which a policy may allow by its digest. */
  readonly value?: Located
  /** Milder than the rule's own where a case deserves it. */
  readonly severity?: ComposeSeverity
}

export type ComposeRule = {
  /** Stable, listed in docs/compose-rules.md. */
  readonly id: string
  readonly severity: ComposeSeverity
  /** Why it matters. */
  readonly why: string
  readonly remedy: string
  readonly stage1: Stage1Item | null
  check(document: ComposeDocument): Iterable<ComposeObjection>
}

/** A setting of the app-compose, where it is there. */
export function appSetting({ app }: ComposeDocument, name: string): LocatedEntry | undefined {
  return entriesOf(app?.root).find(({ key }) => key === name)
}

/** An objection to a setting of the app-compose. */
export function againstApp(entry: LocatedEntry, message: string, more: Partial<ComposeObjection> = {}): ComposeObjection {
  return { part: 'app-compose', pointer: `/${pointerPart(entry.key)}`, at: entry.keyAt, message, value: entry.value, ...more }
}

/** Settings of these names in any service, with the service. */
export function* settingsOf(
  { services }: ComposeDocument,
  ...names: string[]
): Iterable<{ readonly service: ComposeService; readonly entry: LocatedEntry; readonly pointer: string }> {
  for (const service of services)
    for (const entry of entriesOf(service.node))
      if (names.includes(entry.key)) yield { service, entry, pointer: `${service.pointer}/${pointerPart(entry.key)}` }
}

/** An objection to a place in the Compose file. */
export function againstCompose(pointer: string, node: Located, message: string, more: Partial<ComposeObjection> = {}): ComposeObjection {
  return { part: 'docker-compose', pointer, at: node.at, message, value: node, ...more }
}

/** Sections at the top of the Compose file, such as `volumes`. */
export function sectionOf({ compose }: ComposeDocument, name: string): Located | undefined {
  return under(compose?.root, name)
}

/** What a policy allows a value by. */
export function valueDigest(node: Located): Sha256 {
  const plain = plainOf(node)
  return digestOf(typeof plain === 'string' ? plain : JSON.stringify(plain))
}

const MOST_OBJECTIONS = 100
const MOST_EVIDENCE = 10
const MOST_CHARACTERS = 200

/** Runs rules; findings come sorted by part, place and rule. At most 100 of one rule, the last of which counts the rest. */
export function runComposeRules(rules: readonly ComposeRule[], document: ComposeDocument): ComposeFinding[] {
  return rules
    .flatMap((rule) => {
      const objections = [...rule.check(document)]
      const shown = objections.slice(0, MOST_OBJECTIONS)
      const more = objections.length - shown.length
      const rest: ComposeObjection[] =
        more === 0 ? [] : [{ part: 'docker-compose', pointer: '', at: null, message: `and ${more} more of the same rule` }]
      return [...shown, ...rest].map((objection) => findingOf(rule, objection, document))
    })
    .toSorted(inOrder)
}

function findingOf(rule: ComposeRule, objection: ComposeObjection, { app, compose }: ComposeDocument): ComposeFinding {
  const { part, pointer, at, message, evidence = [], value, severity = rule.severity } = objection
  const place = at === null ? null : ((part === 'app-compose' ? app : compose)?.placeOf(at) ?? null)
  return {
    rule: rule.id,
    severity,
    part,
    pointer: visible(pointer).slice(0, MOST_CHARACTERS),
    line: place?.line ?? null,
    column: place?.column ?? null,
    message,
    evidence: evidence.slice(0, MOST_EVIDENCE).map((text) => visible(text).slice(0, MOST_CHARACTERS)),
    sha256: value === undefined ? null : valueDigest(value),
    why: rule.why,
    remedy: rule.remedy,
    stage1: rule.stage1,
  }
}

function inOrder(a: ComposeFinding, b: ComposeFinding): number {
  return (
    compare(a.part, b.part) ||
    (a.line ?? 0) - (b.line ?? 0) ||
    (a.column ?? 0) - (b.column ?? 0) ||
    compare(a.rule, b.rule) ||
    compare(a.pointer, b.pointer)
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
