import { GATE_RULES } from './rules/all.ts'

/** The text of docs/gate-rules.md. */
export function gateRulesPage(): string {
  return `${[INTRODUCTION, ...GATE_RULES.map(({ id, text }) => `### ${id}\n\n${text}`)].join('\n\n')}\n`
}

const INTRODUCTION = `# The rules of the gate

What a decision says of each, in this order: **pass**, **fail** or **skip**. One fail denies. What cannot be found out is a fail; a skip is what was
not asked about: an app where only an image is, a guest before anything runs, or what an earlier answer made pointless.

Where nobody answers who has to be asked, a registry as much as a database, there is no decision at all, in either mode: the command ends with 3
(\`--bundle\` needs no registry), and a webhook answers no, since no answer must come to be a yes.

What a policy file says is in [policy.md](policy.md).

## Rules`
