import type { InstalledPackage } from '../../model/image-packages.ts'

const NAME = /^[a-z0-9][a-z0-9+.-]{0,200}$/
const ARCHITECTURE = /^[a-z0-9-]{1,50}$/
const VERSION = /^[0-9A-Za-z.+:~-]{1,200}$/

/** Installed packages of `var/lib/dpkg/status` by `name:architecture`. A stanza that is no package of dpkg's is passed over. */
export function readStatus(text: string): Map<string, InstalledPackage> {
  const packages = new Map<string, InstalledPackage>()
  for (const stanza of text.split(/\n\n+/)) {
    const field = (name: string): string => new RegExp(`^${name}: *(.*)$`, 'mi').exec(stanza)?.[1]?.trim() ?? ''
    const [name, architecture, version] = [field('Package'), field('Architecture'), field('Version')]
    if (!NAME.test(name) || !ARCHITECTURE.test(architecture) || !VERSION.test(version)) continue
    if (/ (?:not-installed|config-files)$/.test(field('Status'))) continue
    packages.set(`${name}:${architecture}`, { name, architecture, version })
  }
  return packages
}
