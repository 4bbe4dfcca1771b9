import { STAGE_1 } from './compose-finding.ts'
import { COMPOSE_RULES } from './rules/all.ts'

/** The text of docs/compose-rules.md. */
export function composeRulesPage(): string {
  const rules = COMPOSE_RULES.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return `${[INTRODUCTION, ...rules.map(ruleText)].join('\n\n')}\n`
}

function ruleText({ id, severity, why, remedy, stage1 }: (typeof COMPOSE_RULES)[number]): string {
  const answers = stage1 === null ? '' : `\n\n*ERC-733, stage 1:* requirement ${stage1}, ${STAGE_1[stage1]}.`
  return `### ${id}\n\n**${severity}** · ${why}\n\n*Remedy:* ${remedy}${answers}`
}

const INTRODUCTION = `# The rules of app-composes

An attested image says what is in it. What of it runs, and beside what, stands in the app-compose that dstack measures.
\`bitwitness compose lint FILE\` reads one, or a Compose file alone, and says what undoes an attestation. Nothing is run, no host is asked.

The bytes are hashed as they are: that is the compose hash which dstack measures. They are parsed only to be read, and what two parsers could read in
two ways is refused.

A finding with **deny** stops a deployment under a policy that does not allow it; **warn** is for a reader to weigh, and a strict policy denies it;
**info** explains. The severity named here is the gravest that a rule says. Each finding has the sha256 of the value that it is about: by it a policy
allows this value and no other. The published pre-launch scripts of Phala Cloud are known by their digests.

The rules answer what a file can answer of the requirements of [ERC-733](https://www.erc733.org), stage 1 ("dev-proof"); what needs a chain, a source or a notice
of upgrades is not among them.

## Rules`
