import { against, assigned, type Rule } from '../rule.ts'

export const scriptOutsideImage: Rule = {
  id: 'script-outside-image',
  severity: 'warn',
  text: 'A sync or clean script runs beside the image and may change the source that the image is then made from.',
  remedy: 'Keep what it fetches or makes in the source, or do the work in a build script.',
  *check(config) {
    for (const assignment of assigned(config, 'SyncScripts', 'CleanScripts'))
      if (assignment.value !== '') yield against(assignment, 'a script may change the source before it is built')
  },
}
