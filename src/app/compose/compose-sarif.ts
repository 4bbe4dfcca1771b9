import type { ComposeLint } from './lint-compose.ts'
import { COMPOSE_RULES } from './rules/all.ts'

const LEVELS = { deny: 'error', warn: 'warning', info: 'note' } as const

/**
 * Findings in SARIF 2.1.0 (OASIS), for what shows such beside code. A Compose file inside of an app-compose has lines of its own: they are
 * given with the logical location, and the app-compose is the file.
 */
export function composeSarif(lint: ComposeLint, { uri, version }: { readonly uri: string; readonly version: string }): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'bitwitness',
            version,
            rules: COMPOSE_RULES.map(({ id, severity, why, remedy }) => ({
              id,
              shortDescription: { text: why },
              help: { text: remedy },
              defaultConfiguration: { level: LEVELS[severity] },
            })),
          },
        },
        results: lint.findings.map(({ rule, severity, part, pointer, line, column, message, evidence }) => {
          const own = part === lint.kind && line !== null
          return {
            ruleId: rule,
            level: LEVELS[severity],
            message: { text: [message, ...evidence].join(': ') },
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri },
                  ...(own ? { region: { startLine: line, ...(column === null ? {} : { startColumn: column }) } } : {}),
                },
                logicalLocations: [
                  { fullyQualifiedName: `${part}${pointer}${own || line === null ? '' : ` (line ${line}, column ${column ?? 1})`}` },
                ],
              },
            ],
          }
        }),
      },
    ],
  }
}
