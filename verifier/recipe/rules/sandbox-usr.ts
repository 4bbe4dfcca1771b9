import { assigned, type Rule } from '../rule.ts'
import { laidFiles } from '../tree-contents.ts'

export const sandboxUsr: Rule = {
  id: 'sandbox-usr',
  severity: 'refuse',
  text: "A sandbox tree lies on top of the builder: whatever it has outside etc/ takes the place of the builder's own programs and files.",
  remedy: 'Remove everything but etc/ from the sandbox tree; what belongs into the image goes into mkosi.extra.',
  *check(config) {
    const { files } = laidFiles(config, assigned(config, 'SandboxTrees', 'ToolsTreeSandboxTrees'))
    for (const file of files)
      if (!/^etc\/./.test(file.target))
        yield { path: file.source, line: null, message: "a file takes the place of the builder's own", evidence: [file.target] }
  },
}
