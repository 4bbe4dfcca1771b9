import path from 'node:path'
import type { ClaimKind } from '../verifier/model/claim.ts'
import { Failure } from '../verifier/model/failure.ts'
import type { PinnedReference } from '../verifier/model/image-reference.ts'
import { claimedLocation } from './app/claimed-location.ts'
import { pullLayout } from './app/pull.ts'
import type { Settings } from './config/settings.ts'
import { bringFile } from './download/bring-file.ts'
import { requireClaimed } from './download/claimed-bytes.ts'
import type { DownloadRules } from './download/download.ts'
import { openRegistryRoom, openStrangersRegistry, type RegistryRoom } from './registry-room.ts'

/** A slip in a path, URL or name is told before anything is built. Rejects as `requireClaimed` and reading the name do. */
export async function requireUsable(claimed: string, rules: DownloadRules): Promise<void> {
  if (claimedLocation(claimed).kind !== 'image') await requireClaimed(claimed, rules)
}

type Claimed = { location: string; kind: ClaimKind; folder: string; signal: AbortSignal }

/** The port `fetchClaimed` of src/app/ports.ts: images from their registry, all else as `bringFile` does. */
export async function bringClaimed(o: Claimed, settings: Settings, rules: DownloadRules): Promise<string> {
  const location = claimedLocation(o.location)
  if (location.kind !== 'image') return await bringFile(o.location, o.folder, rules, o.signal)
  await using room = await openRegistryRoom(settings)
  return await pullClaimed(room, location.image, o)
}

/**
 * The same for a location that a stranger gave: no file of this machine and nobody's login. Rejects with `claimed-local-refused` for what
 * is a path here; otherwise as `bringFile` and `pullLayout` do.
 */
export async function bringStrangersClaimed(o: Claimed, settings: Settings, rules: DownloadRules): Promise<string> {
  const location = claimedLocation(o.location)
  if (location.kind === 'url') return await bringFile(location.url, o.folder, rules, o.signal)
  if (location.kind === 'file')
    throw new Failure({
      code: 'claimed-local-refused',
      message: 'claimed bytes are not taken from paths here',
      hint: 'give an https:// URL, or an image in a registry by its digest',
    })
  await using room = await openStrangersRegistry(settings)
  return await pullClaimed(room, location.image, o)
}

async function pullClaimed(room: RegistryRoom, image: PinnedReference, { kind, folder, signal }: Claimed): Promise<string> {
  const output = path.join(folder, 'pulled')
  const { layers } = await pullLayout(room, { image, output, maxBytes: room.maxBytes, signal })
  if (kind === 'oci-manifest') return output
  const [layer, ...others] = layers
  if (layer !== undefined && others.length === 0) return layer.path
  throw new Failure({
    code: 'claimed-image-layers',
    message: 'the claimed image is not of one layer, so that no file is in it that could be the claimed one',
    hint: 'give the claimed file by path or URL',
  })
}
