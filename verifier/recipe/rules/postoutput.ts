import { against, assigned, type Rule } from '../rule.ts'

export const postoutput: Rule = {
  id: 'postoutput',
  severity: 'refuse',
  text: 'A postoutput script writes in the output folder after the image is finished: it can replace the image by anything, and mkosi still reports success.',
  remedy: 'Do the work in a finalize script, inside the image, or after the build, outside the recipe.',
  *check(config) {
    for (const assignment of assigned(config, 'PostOutputScripts'))
      if (assignment.value !== '') yield against(assignment, 'a script can replace the finished image')
  },
}
