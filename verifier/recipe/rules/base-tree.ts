import { against, assigned, type Rule } from '../rule.ts'
import { judgePath } from '../specifiers.ts'
import { splitValue } from '../values.ts'

export const baseTree: Rule = {
  id: 'base-tree',
  severity: 'warn',
  text: "A base tree or an initrd from the source is taken as it is. One that the recipe builds itself, below mkosi's output (%O), is not meant.",
  remedy: 'Build it as an image of its own under mkosi.images and name it by %O.',
  *check(config) {
    for (const assignment of assigned(config, 'BaseTrees', 'Initrds')) {
      for (const path of splitValue('paths', assignment.value)) {
        const { kind } = judgePath(config, assignment, path)
        if (kind === 'file' || kind === 'folder' || kind === 'missing') yield against(assignment, 'an image is made from a finished tree')
      }
    }
  },
}
