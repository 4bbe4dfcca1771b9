import { against, assigned, type Rule } from '../rule.ts'
import { mayBeOn, splitValue } from '../values.ts'

export const hostDependent: Rule = {
  id: 'host-dependent',
  severity: 'warn',
  text: "The image takes what is loaded on the machine that builds: its CPU's microcode, its kernel's modules. Another machine has others.",
  remedy: 'Name what the image needs.',
  *check(config) {
    const flags = ['MicrocodeHost', 'KernelModulesIncludeHost', 'KernelModulesInitrdIncludeHost']
    for (const assignment of assigned(config, ...flags))
      if (mayBeOn(assignment.value)) yield against(assignment, 'the image depends on the machine that builds it')
    const lists = ['KernelModules', 'KernelInitrdModules', 'KernelModulesInclude', 'KernelModulesInitrdInclude']
    for (const assignment of assigned(config, ...lists))
      if (splitValue('list', assignment.value).includes('host'))
        yield against(assignment, 'the image depends on the machine that builds it')
  },
}
