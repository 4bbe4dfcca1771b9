import { type Setting, size, wholeNumber } from './setting.ts'

const count = (variable: string, about: string, otherwise: number): Setting<number> => ({
  variable,
  about,
  form: 'a whole number',
  otherwise: String(otherwise),
  fallback: () => otherwise,
  read: wholeNumber(1_000_000),
})

/** What one owner may ask of the service. */
export const LIMIT_SETTINGS = {
  uploadSize: size('BITWITNESS_UPLOAD_SIZE', 'Bytes of one upload: a source, a lock or an inputs archive.', '4G'),
  uploadsPerDay: count('BITWITNESS_UPLOADS_PER_DAY', 'Uploads of one owner within 24 hours, those that break off among them.', 1000),
  uploadBytesPerDay: size(
    'BITWITNESS_UPLOAD_BYTES_PER_DAY',
    'Bytes that come from one owner within 24 hours, counted each time that they come.',
    '40G',
  ),
  uploadBytesHeld: size(
    'BITWITNESS_UPLOAD_BYTES_HELD',
    'Bytes that one owner may have uploaded and lying here: for submissions to come, and for verifications that are open.',
    '40G',
  ),
  openPerOwner: count('BITWITNESS_OPEN_PER_OWNER', 'Verifications of one owner that are neither finished nor cancelled.', 200),
  deploymentsPerOwner: count('BITWITNESS_DEPLOYMENTS_PER_OWNER', 'Deployments of one owner that are under way or observed.', 100),
  writesPerMinute: count(
    'BITWITNESS_WRITES_PER_MINUTE',
    'Uploads, submissions and the like of one owner; an address may send twice as many.',
    120,
  ),
} as const satisfies Readonly<Record<string, Setting<unknown>>>
