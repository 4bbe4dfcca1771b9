import { RULES } from './rules/all.ts'
import { SETTINGS } from './settings/all.ts'
import type { Setting } from './settings/setting.ts'

/** The text of docs/recipe-rules.md: every rule, and who looks at which of mkosi's settings. */
export function recipeRulesPage(): string {
  const rules = RULES.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return `${[INTRODUCTION, ...rules.map(ruleText), SETTINGS_INTRODUCTION, settingsTable(), IMAGE_CONFIG].join('\n\n')}\n`
}

function ruleText(rule: (typeof RULES)[number]): string {
  return `### ${rule.id}\n\n**${rule.severity}** · ${rule.text}\n\n*Remedy:* ${rule.remedy}`
}

function settingsTable(): string {
  const rows = SETTINGS.map((setting) => `| ${nameOf(setting)} | ${setting.section} | ${concernOf(setting)} |`)
  return ['| setting | section | looked at by |', '|---|---|---|', ...rows].join('\n')
}

function nameOf({ name, aliases, since }: Setting): string {
  const also = aliases.length === 0 ? '' : ` (${aliases.map((alias) => `\`${alias}=\``).join(', ')})`
  return `\`${name}=\`${also}${since === null ? '' : ` since ${since}`}`
}

function concernOf({ concern, shape }: Setting): string {
  const paths = ['path', 'paths', 'scripts', 'trees', 'drives', 'inside', 'credentials'].includes(shape)
    ? ['path-outside', 'link-outside']
    : []
  const rules = typeof concern === 'string' ? [] : concern
  const words = [...rules, ...paths].map((id) => `[${id}](#${id})`)
  if (concern === 'builder') return [...words, 'the builder sets it itself'].join(', ')
  if (concern === 'runtime') return [...words, 'not used by a build'].join(', ')
  return words.length === 0 ? 'says only what is in the image' : words.join(', ')
}

const INTRODUCTION = `# The rules of recipes

A recipe is read before anything runs: \`bitwitness recipe lint\` says what these rules find, and so does every check and verification. Nothing
of mkosi's is run for it. The reader follows the parser of mkosi 25.3 and knows the settings of 25.3 and 27.1; it reads every file that mkosi
could come to, takes every condition to hold and every profile to be chosen, and refuses what two readers could understand differently.

A finding with **refuse** stops the recipe: the verdict is \`refused\` and names the rule. **warn** travels with the verdict. **info** explains.
The severity named here is the gravest that a rule says; a milder case of it says less.

Rules look at a recipe, not into its scripts: what a script does is held by the builder's sandbox and shown by comparing bits.

## Rules`

const SETTINGS_INTRODUCTION = `## Settings

Which rules look at which of mkosi's settings. A setting that is not listed is refused by [setting-unknown](#setting-unknown). Files that mkosi
finds by their names (\`mkosi.extra\`, \`mkosi.build.d/…\`) count as the setting that they stand for.`

const IMAGE_CONFIG = `## bitwitness.yaml

Beside \`mkosi.conf\`, at most 64 KiB, all fields optional: how the finished tree is packed as an OCI image.

\`\`\`yaml
image:
  entrypoint: ["/usr/bin/tini", "--"]
  cmd: ["/usr/bin/node", "/opt/app/server.js"]
  workingDir: /opt/app
  user: app
  env: ["NODE_ENV=production"]
  exposedPorts: ["3000/tcp"]
  labels: { org.opencontainers.image.title: example }
\`\`\``
