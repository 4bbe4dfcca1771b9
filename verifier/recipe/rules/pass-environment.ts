import { environmentOf } from '../environment.ts'
import { against, assigned, type Rule } from '../rule.ts'

export const passEnvironment: Rule = {
  id: 'pass-environment',
  severity: 'refuse',
  text: "A variable without a value, or PassEnvironment=, asks for what is in the environment of whoever runs mkosi: another machine's is another one, and a secret could be in it.",
  remedy: 'Give every variable its value in Environment=.',
  *check(config) {
    for (const assignment of assigned(config, 'PassEnvironment'))
      if (assignment.value !== '') yield against(assignment, "variables of the worker's environment are asked for")
    for (const variable of environmentOf(config))
      if (variable.value === null)
        yield {
          path: variable.path,
          line: variable.line,
          message: "a variable takes its value from the worker's environment",
          evidence: [variable.name],
        }
  },
}
