import { against, assigned, type Rule } from '../rule.ts'

/** Letters, digits and a few marks, once the specifiers that mkosi fills in with such words are out. */
const PLAIN = /^(?![.-])[A-Za-z0-9._+~@-]{1,200}$/

export const outputName: Rule = {
  id: 'output-name',
  severity: 'refuse',
  text: "Output=, ImageId= and ImageVersion= become names of files in the builder's output folder. mkosi checks only the first, so that the others could climb out of it.",
  remedy: 'Use letters, digits and . _ + ~ @ - only, not beginning with a dot or a dash.',
  *check(config) {
    for (const assignment of assigned(config, 'Output', 'OutputExtension', 'ImageId', 'ImageVersion')) {
      const value = assignment.value.replaceAll(/%[dratviI]/g, 'x')
      if (value !== '' && !PLAIN.test(value)) yield against(assignment, 'this cannot be part of the name of an output')
    }
  },
}
