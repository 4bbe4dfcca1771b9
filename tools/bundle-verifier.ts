import { copyFile } from 'node:fs/promises'
import path from 'node:path'
import { rolldown } from 'rolldown'

/** What other commands open, which verifying an attestation never gets to. */
const OF_OTHERS = /\/(app|context|scratch-room|signing-room)\.js$/

/**
 * `attestation verify` is run again and again in other programs' pipelines, and most of what it costs is opening files: its own, and zod's,
 * half of which are error texts in other languages. Those are put into a few files; the launcher takes them for this command alone. All other
 * packages stay what is installed beside us: whoever replaces a library that verifies must have replaced it here as well.
 */
export async function bundleVerifier(dist: string, packages: string): Promise<void> {
  const bundle = await rolldown({
    input: { main: path.join(dist, 'src', 'bin', 'main.js') },
    platform: 'node',
    external: (id) => OF_OTHERS.test(id) || (/^[^./]/.test(id) && id !== 'zod' && !path.isAbsolute(id)),
  })
  const folder = path.join(dist, 'attestation-verify')
  await bundle.write({ dir: folder, format: 'esm' })
  await bundle.close()
  // Its terms ask for their own text wherever it goes.
  await copyFile(path.join(packages, 'zod', 'LICENSE'), path.join(folder, 'zod.LICENSE'))
}
