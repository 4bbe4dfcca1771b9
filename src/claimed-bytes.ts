import path from 'node:path'
import type { ClaimKind } from '../verifier/model/claim.ts'
import { Failure } from '../verifier/model/failure.ts'
import { claimedLocation } from './app/claimed-location.ts'
import { pullLayout } from './app/pull.ts'
import type { Settings } from './config/settings.ts'
import { bringFile } from './download/bring-file.ts'
import { requireClaimed } from './download/claimed-bytes.ts'
import type { DownloadRules } from './download/download.ts'
import { openRegistryRoom } from './registry-room.ts'

/** A slip in a path, URL or name is told before anything is built. Rejects as `requireClaimed` and reading the name do. */
export async function requireUsable(claimed: string, rules: DownloadRules): Promise<void> {
  if (claimedLocation(claimed).kind !== 'image') await requireClaimed(claimed, rules)
}

/** The port `fetchClaimed` of src/app/ports.ts: images from their registry, all else as `bringFile` does. */
export async function bringClaimed(
  o: { location: string; kind: ClaimKind; folder: string; signal: AbortSignal },
  settings: Settings,
  rules: DownloadRules,
): Promise<string> {
  const { folder, signal } = o
  const location = claimedLocation(o.location)
  if (location.kind !== 'image') return await bringFile(o.location, folder, rules, signal)
  await using room = await openRegistryRoom(settings)
  const output = path.join(folder, 'pulled')
  const { layers } = await pullLayout(room, { image: location.image, output, maxBytes: room.maxBytes, signal })
  if (o.kind === 'oci-manifest') return output
  const [layer, ...others] = layers
  if (layer !== undefined && others.length === 0) return layer.path
  throw new Failure({
    code: 'claimed-image-layers',
    message: 'the claimed image is not of one layer, so that no file is in it that could be the claimed one',
    hint: 'give the claimed file by path or URL',
  })
}
