import { allScreens } from '../src/cli/app.ts'

/** docs/cli.md. */
export function cliPage(): string {
  const screens = allScreens().flatMap(([command, text]) => [`## ${command}`, '', '```', text.trimEnd(), '```', ''])
  return [
    '# The command line',
    '',
    'Made from the help screens by `npm run generate`. What a report says is in [reports.md](reports.md), what an error code means in',
    '[errors.md](errors.md), what can be set in [settings.md](settings.md).',
    '',
    'Answers go to stdout, progress and errors to stderr. With `--json` there is exactly one JSON document on stdout, an error document',
    'included; its first key is `schema`. Where the answer is a verdict, or an error in place of any answer, the second is `verdict`.',
    '',
    '| exit code | meaning |',
    '|---|---|',
    '| 0 | yes: `reproduced`, `repeatable`, `verified`, no difference, done |',
    '| 1 | no: `mismatch`, `nondeterministic`, `build-failed`, `refused`, `rejected`, a difference, a proof that is disagreed with |',
    '| 2 | the command line or a setting is wrong, what it names is not there, or Node.js is too old; nothing was done |',
    '| 3 | we could not find out: `undecided`, or an error |',
    '| 130 | interrupted; what ran was ended and cleaned up |',
    '',
    ...screens,
  ].join('\n')
}
