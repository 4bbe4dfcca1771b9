import { parseServerAddress } from './server-address.ts'
import type { Setting } from './setting.ts'

/** A coordinator is at its origin: what comes before the path would be missing where the signature is checked. */
export function parseCoordinator(text: string): URL | undefined {
  const url = parseServerAddress(text)
  return url?.pathname === '/' ? url : undefined
}

export const COORDINATOR_FORM =
  'a URL with https and without a path; with http on this machine, on a private address, or a name without a dot'

/** The settings of `worker`. */
export const WORKER_SETTINGS = {
  coordinator: {
    variable: 'BITWITNESS_COORDINATOR',
    about: 'The service that `worker` builds for.',
    form: COORDINATOR_FORM,
    otherwise: 'none: `--coordinator` names one',
    fallback: (): URL | null => null,
    read: parseCoordinator,
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>
