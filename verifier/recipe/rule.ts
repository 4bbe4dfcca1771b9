import type { Finding, Severity } from '../model/finding.ts'
import type { Recipe } from '../model/recipe.ts'
import { escapeBytes } from '../model/tree-manifest.ts'
import type { Assignment, RecipeConfig } from './config.ts'

/** One thing that a rule has against a recipe, or has to say about it. */
export type Objection = {
  /** Path in the recipe's folder; null where it is about the whole. */
  readonly path: string | null
  readonly line: number | null
  /** One sentence. */
  readonly message: string
  readonly evidence?: readonly string[]
  /** Milder than the rule's own where a case deserves it; never graver. */
  readonly severity?: Severity
}

export type Rule = {
  /** Stable, listed in docs/recipe-rules.md. */
  readonly id: string
  /** The gravest that the rule says. */
  readonly severity: Severity
  /** What the rule is about and why. */
  readonly text: string
  readonly remedy: string
  check(recipe: RecipeConfig, facts: Recipe, builder: BuilderFacts): Iterable<Objection>
}

/** What the rules need to know about the builder. */
export type BuilderFacts = {
  /** mkosi's name for it: `x86-64`, `arm64`. */
  readonly architecture: string
  /** `25.3`. */
  readonly mkosi: string
}

/** An objection to one setting, with its value as evidence. */
export function against(assignment: Assignment, message: string, severity?: Severity): Objection {
  const { file, line } = assignment
  const shown = line === null ? [] : [`${assignment.name}=${assignment.value}`]
  return { path: file, line, message, evidence: shown, ...(severity === undefined ? {} : { severity }) }
}

/** Assignments of these settings, by their names of today. */
export function assigned(config: RecipeConfig, ...names: string[]): Assignment[] {
  return config.assignments.filter((assignment) => assignment.setting !== undefined && names.includes(assignment.setting.name))
}

const MOST_OBJECTIONS = 100
const MOST_EVIDENCE = 20
const MOST_CHARACTERS = 200

/** Runs rules; findings come sorted by file, line and rule, the same ones said once. At most 100 of one rule, the last of which counts the rest. */
export function runRules(rules: readonly Rule[], config: RecipeConfig, facts: Recipe, builder: BuilderFacts): Finding[] {
  const findings = rules.flatMap((rule) => {
    const seen = new Map<string, Finding>()
    let more = 0
    for (const objection of rule.check(config, facts, builder)) {
      const finding = findingOf(rule, objection)
      const key = JSON.stringify(finding)
      if (seen.has(key)) continue
      if (seen.size < MOST_OBJECTIONS) seen.set(key, finding)
      else more += 1
    }
    const found = [...seen.values()]
    return more === 0 ? found : [...found, { ...findingOf(rule, { path: null, line: null, message: `and ${more} more of the same rule` }) }]
  })
  return findings.toSorted(compareFindings)
}

function findingOf(rule: Rule, objection: Objection): Finding {
  const evidence = (objection.evidence ?? []).slice(0, MOST_EVIDENCE).map(printable)
  const { path, line, message, severity = rule.severity } = objection
  return { rule: rule.id, severity, path, line, message, evidence, remedy: rule.remedy }
}

function compareFindings(a: Finding, b: Finding): number {
  return compare(a.path ?? '', b.path ?? '') || (a.line ?? 0) - (b.line ?? 0) || compare(a.rule, b.rule) || compare(a.message, b.message)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A recipe's own text on one line, harmless to a terminal. */
function printable(text: string): string {
  const cut = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS).replace(/[\ud800-\udbff]$/, '')}…` : text
  return escapeBytes(new TextEncoder().encode(cut.replaceAll('\n', ' ⏎ ')))
}
