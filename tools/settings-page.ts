import { SETTINGS } from '../src/config/settings.ts'

/** docs/settings.md. */
export function settingsPage(): string {
  const rows = Object.values(SETTINGS).map(
    ({ variable, about, form, otherwise }) => `| \`${variable}\` | ${about} | ${form} | ${otherwise} |`,
  )
  return [
    '# Settings',
    '',
    'Made from `src/config/settings.ts` by `npm run generate`.',
    '',
    'Settings are environment variables. An empty one counts as not set. A value that cannot be, or a variable beginning with',
    '`BITWITNESS_` that is not in this table, ends every command that reads settings before it does anything (`setting-invalid`, `setting-unknown`).',
    '',
    '| variable | what it sets | form | default |',
    '|---|---|---|---|',
    ...rows,
    '',
    'Of the standard variables, `NO_COLOR` switches colours off and `XDG_DATA_HOME` moves the default home. With `BITWITNESS_DEBUG=1` an error',
    'shows the text and the stack of whatever caused it on stderr; that text may hold anything, so look before you pass it on. The',
    'Makefile also reads `BITWITNESS_YES` (`1`: install missing Debian packages without asking) and `CI` (`true`: the same).',
    '',
  ].join('\n')
}
