import type { Aspect } from '../model/explanation.ts'
import type { Finding } from '../model/finding.ts'
import type { PathEvidence, RuleText } from './rule.ts'
import { PATH_RULES } from './rules/all.ts'
import { unexplained } from './rules/unexplained.ts'

type Tally = {
  readonly rule: RuleText
  readonly samples: string[]
  readonly distinct: Set<string>
  first: string
  paths: number
  kinds: number
}

const MAX_DISTINCT = 10_000

/** Holds every differing path against all rules and sums up what they say, one finding a rule. */
export class Judge {
  readonly #tallies = new Map<string, Tally>()
  readonly #maxSamples: number

  constructor(maxSamples: number) {
    this.#maxSamples = maxSamples
  }

  /** Ids of the rules that explain something about the path (named escaped), `unexplained` among them where an aspect is left. */
  judge(path: string, evidence: PathEvidence): string[] {
    const left = new Set<Aspect>(evidence.aspects)
    const rules: string[] = []
    for (const rule of PATH_RULES) {
      if (left.size === 0) break
      const explained = rule.explain(evidence)
      // A rule that finds all it could explain explained already would only repeat.
      if (explained === null || (explained.aspects.length > 0 && !explained.aspects.some((aspect) => left.has(aspect)))) continue
      for (const aspect of explained.aspects) left.delete(aspect)
      rules.push(rule.id)
      const sample = rule.samples === 'evidence' ? (explained.evidence ?? path) : line(path, explained.evidence)
      this.#note(rule, path, sample)
    }
    if (left.size > 0) {
      rules.push(unexplained.id)
      this.#note(unexplained, path, line(path, [...left].join(', ')))
    }
    return rules
  }

  /** In the order of rules, what is unexplained at the end. */
  findings(): Finding[] {
    return [...PATH_RULES, unexplained].flatMap(({ id }) => {
      const tally = this.#tallies.get(id)
      return tally === undefined ? [] : [this.#finding(tally)]
    })
  }

  #note(rule: RuleText, path: string, sample: string): void {
    const tally = this.#tallies.get(rule.id) ?? { rule, samples: [], distinct: new Set<string>(), first: path, paths: 0, kinds: 0 }
    this.#tallies.set(rule.id, tally)
    tally.paths += 1
    if (tally.distinct.has(sample)) return
    if (tally.distinct.size < MAX_DISTINCT) tally.distinct.add(sample)
    tally.kinds += 1
    if (tally.samples.length < this.#maxSamples) tally.samples.push(sample)
  }

  #finding({ rule, samples, first, paths, kinds }: Tally): Finding {
    const more = kinds - samples.length
    return {
      rule: rule.id,
      severity: rule.severity,
      path: paths === 1 ? first : null,
      line: null,
      message: paths === 1 ? rule.text : `${rule.text} (${paths} paths)`,
      evidence: more > 0 ? [...samples, `and ${more} more`] : samples,
      remedy: rule.remedy,
    }
  }
}

function line(path: string, evidence: string | null): string {
  return evidence === null || evidence === '' ? path : `${path}: ${evidence}`
}
