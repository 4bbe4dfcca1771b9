import { against, assigned, type Rule } from '../rule.ts'
import { laidFiles } from '../tree-contents.ts'

/** What tells apt and dpkg where packages come from, whose keys count and what runs beside them. */
const APT = /^(etc\/(apt($|[./])|dpkg(\/|$))|.*(^|\/)(keyrings?|trusted\.gpg(\.d)?)(\/|$)|.*\.(sources|gpg|asc|kbx)$)/i

export function configuresApt(target: string): boolean {
  return APT.test(target)
}

export const sandboxApt: Rule = {
  id: 'sandbox-apt',
  severity: 'refuse',
  text: "A sandbox tree brings configuration or keys of the package manager's: packages could then come from anywhere, signed by anyone.",
  remedy: "Remove the files: the builder's own sources name Debian's archives and Debian's keys.",
  *check(config) {
    const trees = assigned(config, 'SandboxTrees', 'ToolsTreeSandboxTrees')
    const { files, closed } = laidFiles(config, trees)
    for (const file of files)
      if (configuresApt(file.target))
        yield { path: file.source, line: null, message: "a file configures the builder's package manager", evidence: [file.target] }
    for (const tree of closed) yield against(tree.assignment, 'what is laid over the builder cannot be looked into')
  },
}
