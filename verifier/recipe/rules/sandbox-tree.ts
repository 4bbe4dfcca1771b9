import { assigned, type Rule } from '../rule.ts'
import { laidFiles } from '../tree-contents.ts'
import { configuresApt } from './sandbox-apt.ts'

/** Loaded by the programs of the builder themselves. */
const LOADED =
  /^etc\/(ld\.so\.(preload|conf)(\.d)?|python|perl|environment|profile|bash|gcrypt|ssl\/openssl|crypto-policies|pam|security|alternatives)/

export const sandboxTree: Rule = {
  id: 'sandbox-tree',
  severity: 'refuse',
  text: "A sandbox tree changes the builder's own configuration. Where that decides which code the builder's programs load it is refused, elsewhere it is said.",
  remedy: 'Remove the sandbox tree; what belongs into the image goes into mkosi.extra.',
  *check(config) {
    const { files } = laidFiles(config, assigned(config, 'SandboxTrees', 'ToolsTreeSandboxTrees'))
    for (const file of files) {
      if (!/^etc\/./.test(file.target) || configuresApt(file.target)) continue
      const loaded = LOADED.test(file.target) || config.tree.entry(file.source)?.type === 'l'
      const message = loaded ? "a file decides what the builder's programs load" : "a file changes the builder's configuration"
      yield { path: file.source, line: null, message, evidence: [file.target], severity: loaded ? 'refuse' : 'warn' }
    }
  },
}
