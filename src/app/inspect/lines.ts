import type { InspectionLine, InspectionSection } from './inspection.ts'

type Described = readonly [section: InspectionSection, title: string, needed: boolean]

/** Every line there is, in the order of the transcript; docs/inspect.md says what each means. */
export const LINES = {
  'live-url': ['live', 'The app answers at its URL', false],
  health: ['live', 'The health path says that all is well', false],
  'guest-info': ['live', 'The guest agent tells of the app', false],
  'quote-signature': ['hardware', 'Intel’s hardware signed the quote', true],
  'tcb-status': ['hardware', 'The platform is up to date', true],
  'td-closed': ['hardware', 'The host cannot look into the guest', true],
  'rtmr3-replay': ['boot', 'The event log gives the quote’s register', true],
  'firmware-replay': ['boot', 'The log of the firmware gives the quote’s registers', false],
  'boot-events': ['boot', 'The guest measured itself in its own order', true],
  'boot-measurement': ['boot', 'The guest booted a measured image', true],
  'os-image': ['boot', 'The guest image is the one that is named', false],
  'app-id': ['app', 'The URL is of this app', true],
  'compose-hash': ['app', 'The app-compose is the measured one', true],
  'mr-config-id': ['app', 'The host launched the guest for this app', false],
  'compose-lint': ['app', 'What the linter says of the app-compose', false],
  image: ['images', 'The image was reproduced from an admitted source', true],
  policy: ['policy', 'A rule of the policy', true],
  'url-binding': ['connection', 'The URL’s own TLS key is in a quote of this guest', true],
} as const satisfies Readonly<Record<string, Described>>
export type LineId = keyof typeof LINES

/** What a check says: a status, why, and what was seen. */
export type Said = { readonly status: InspectionLine['status']; readonly reason: string; readonly detail?: string | null }

export const pass = (reason: string, detail: string | null = null): Said => ({ status: 'pass', reason, detail })
export const fail = (reason: string, detail: string | null = null): Said => ({ status: 'fail', reason, detail })
export const skip = (reason: string, detail: string | null = null): Said => ({ status: 'skip', reason, detail })
export const info = (reason: string, detail: string | null = null): Said => ({ status: 'info', reason, detail })

/** `title` in place of the line's own, for lines that there are several of. */
export function lineOf(id: LineId, { status, reason, detail = null }: Said, title?: string): InspectionLine {
  const [section, usual, needed] = LINES[id]
  return { id, section, title: title ?? usual, status, detail, reason, needed }
}

/** What passes only if the guest can be believed: from another it is what it claims. A no stays a no. */
export function ifBelieved(said: Said, believed: boolean): Said {
  return said.status !== 'pass' || believed ? said : info(`claimed by the guest, whose boot was not checked: ${said.reason}`, said.detail)
}
