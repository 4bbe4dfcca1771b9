import { readNamedFile } from '../verifier/bytes/named-file.ts'
import { utf8Text } from '../verifier/model/utf8-text.ts'
import type { InspectPorts } from './app/inspect/inspect-ports.ts'
import type { Settings } from './config/settings.ts'
import { sourceAccess } from './config/source-access.ts'
import { downloadWhole } from './download/download.ts'
import { downloadRules } from './download/rules.ts'
import { openGuestDoor } from './dstack/guest-door.ts'
import { readCollateralFile } from './dstack/intel-collateral.ts'

/** What quotes are held against. */
export type QuoteRoots = {
  /** A file of Intel's collateral, or the URL of a PCCS; null: none is at hand. */
  readonly collateral: string | null
  /** A file of a public key that stands in for Intel's; everything is simulated then. */
  readonly simulatedRoot: string | null
}

/** Of one answer of a PCCS. */
const COLLATERAL = { maxBytes: 4 << 20, seconds: 30 }

/** What looks at running apps, but for the gate. Rejects as reading the files does. */
export async function openInspectRoom(
  settings: Pick<Settings, 'gateways' | 'sources'>,
  roots: QuoteRoots,
  signal: AbortSignal,
): Promise<Omit<InspectPorts, 'gate'>> {
  return {
    now: () => new Date(),
    guest: openGuestDoor({ gateways: settings.gateways }),
    quotes: await quotesOf(settings, roots, signal),
  }
}

async function quotesOf(
  settings: Pick<Settings, 'sources'>,
  { collateral, simulatedRoot }: QuoteRoots,
  signal: AbortSignal,
): Promise<InspectPorts['quotes']> {
  if (simulatedRoot !== null) {
    const { standInQuotes } = await import('./dstack/stand-in-quotes.ts')
    const pem = await readNamedFile(simulatedRoot, { what: 'the key that stands in for Intel’s', maxBytes: 64 * 1024, signal })
    return standInQuotes(utf8Text(pem) ?? '')
  }
  const { intelQuotes } = await import('./dstack/intel-quotes.ts')
  if (collateral === null) return intelQuotes(() => Promise.resolve('no collateral of Intel’s is at hand: give it, or a PCCS that has it'))
  if (!/^https?:\/\//i.test(collateral)) {
    const read = await readCollateralFile(collateral, signal)
    return intelQuotes(() => Promise.resolve(read))
  }
  const { checkUrl } = await import('./download/request.ts')
  const { pccsCollateral } = await import('./dstack/pccs-collateral.ts')
  const rules = downloadRules(sourceAccess(settings.sources), COLLATERAL)
  return intelQuotes(pccsCollateral(checkUrl(collateral, rules), (url, stop) => downloadWhole(url, rules, stop)))
}
