import { against, assigned, type Rule } from '../rule.ts'

export const packageFolder: Rule = {
  id: 'package-folder',
  severity: 'warn',
  text: 'Packages from a folder are installed without a signature, and as they are: their bits are reproduced by copying, not by building.',
  remedy: "Build them in a build script, or take Debian's.",
  *check(config) {
    for (const assignment of assigned(config, 'PackageDirectories', 'VolatilePackageDirectories', 'ToolsTreePackageDirectories'))
      if (assignment.value !== '') yield against(assignment, 'packages come from a folder')
  },
}
