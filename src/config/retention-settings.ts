import { type Setting, wholeNumber } from './setting.ts'

const lasting = (variable: string, about: string, unit: 'days' | 'hours', otherwise: number): Setting<number> => ({
  variable,
  about,
  form: `a whole number of ${unit}`,
  otherwise: String(otherwise),
  fallback: () => otherwise,
  read: wholeNumber(36_500),
})

/** How long the service keeps what nothing needs any more. What a statement refers to is kept for ever. */
export const RETENTION_SETTINGS = {
  keepUploads: lasting('BITWITNESS_KEEP_UPLOADS', 'How long an upload is kept for submissions to come.', 'hours', 24),
  keepArtifacts: lasting(
    'BITWITNESS_KEEP_ARTIFACTS',
    'How long the bytes of what was built are kept where bits differ, after the verdict. Otherwise they go with the verdict.',
    'days',
    14,
  ),
  keepRecords: lasting(
    'BITWITNESS_KEEP_RECORDS',
    'How long sources, logs, locks, inputs and reports are kept of verifications about which nothing is signed: cancelled and undecided ones.',
    'days',
    90,
  ),
} as const satisfies Readonly<Record<string, Setting<unknown>>>
