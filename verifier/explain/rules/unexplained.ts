import type { RuleText } from '../rule.ts'

/** Not a rule of its own: what no rule explains. */
export const unexplained = {
  id: 'unexplained',
  severity: 'warn',
  text: 'No rule knows why this differs.',
  remedy:
    'Look at what differs there (`bitwitness explain` shows it where both files are at hand), and at which script or package writes it.',
} satisfies RuleText
