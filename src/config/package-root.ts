import { readFileSync } from 'node:fs'
import path from 'node:path'

export type Package = {
  /** Folder of package.json: of the checkout, or of the installed package. */
  readonly root: string
  readonly version: string
}

/** The package that this file is part of, whether it runs from its source, from dist/ or from an installed package. */
export function findPackage(from: string = import.meta.dirname): Package {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const manifest = readManifest(path.join(folder, 'package.json'))
    if (manifest?.name === 'bitwitness') return { root: folder, version: manifest.version }
    if (path.dirname(folder) === folder) throw new Error('package.json of bitwitness is missing above its own code')
  }
}

function readManifest(file: string): { name: string; version: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string }
  } catch {
    return undefined
  }
}
