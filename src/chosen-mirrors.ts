import { readAptMirrors } from '../verifier/builder/inputs/apt-mirrors.ts'
import type { Mirrors } from '../verifier/builder/inputs/input-proxy.ts'
import { snapshotMirrors } from '../verifier/builder/inputs/mirrors.ts'
import type { Settings } from './config/settings.ts'

/** The mirrors of a dated state of the archives, or of today's (null). */
export type ChosenMirrors = (snapshot: string | null) => Promise<Mirrors>

/** As the settings have them; without any, what this machine's own apt is configured with, read once. */
export function chosenMirrors({ mirrors, snapshotMirror }: Pick<Settings, 'mirrors' | 'snapshotMirror'>): ChosenMirrors {
  let own: Promise<Mirrors> | undefined
  return async (snapshot) => {
    // Without one, what a lock names may still be in the store; a live build then fails by the first input that it asks for.
    if (snapshot !== null) return snapshotMirror === null ? new Map() : snapshotMirrors(snapshotMirror, snapshot)
    if (mirrors !== null) return mirrors
    own ??= readAptMirrors()
    return await own
  }
}
