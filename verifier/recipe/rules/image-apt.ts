import { assigned, type Rule } from '../rule.ts'
import { laidFiles } from '../tree-contents.ts'

export const imageApt: Rule = {
  id: 'image-apt',
  severity: 'warn',
  text: "A tree that is copied into the image configures the image's own package manager: what it installs later is not what was verified.",
  remedy: 'Leave the package manager of the image as Debian has it, or without sources.',
  *check(config) {
    const { files } = laidFiles(config, assigned(config, 'SkeletonTrees', 'ExtraTrees', 'BaseTrees'))
    for (const file of files)
      if (/^(etc\/apt|usr\/share\/keyrings)\//.test(file.target))
        yield { path: file.source, line: null, message: "a file configures the image's package manager", evidence: [file.target] }
  },
}
