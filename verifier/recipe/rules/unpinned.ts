import type { Rule } from '../rule.ts'

export const unpinned: Rule = {
  id: 'unpinned',
  severity: 'warn',
  text: 'Distribution=, Release= and Architecture= default to those of the machine that builds, so that another builder makes another image.',
  remedy: 'Write all three.',
  *check(config, facts) {
    if (config.main === null) return
    const missing = ['Distribution', 'Release', 'Architecture'].filter((name) => facts.pins.missing.includes(name))
    for (const name of missing) {
      const severity = name === 'Architecture' ? 'info' : 'warn'
      yield { path: config.main, line: null, message: `${name}= is taken from the builder`, severity }
    }
  },
}
