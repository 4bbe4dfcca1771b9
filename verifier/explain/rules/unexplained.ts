import type { RuleText } from '../rule.ts'

/** Not a rule of its own: what no rule explains. */
export const unexplained = {
  id: 'unexplained',
  severity: 'warn',
  text: 'No rule knows why this differs.',
  remedy: 'Look at the contents (`bitwitness explain` with both files at hand), and at which script or package writes the path.',
} satisfies RuleText
