export type ServiceArchive = {
  /** Where it is unpacked, without leading slash. */
  readonly path: string
  readonly name: string
  readonly version: string
  readonly license: string
  /** As `npm pack` names it. */
  readonly file: string
  readonly integrity: string
}

type Locked = {
  readonly version: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
}

/** Needed by nothing that the program runs: types for compilers. */
const LEFT_OUT = /(^|\/)node_modules\/@types\//

/**
 * What the service's image takes from npm, by the project's own package-lock.json: all that it needs at run time, and the program of Node.js.
 * Optional packages are native code that its users do without, and left out.
 */
export function serviceArchives(packageLock: string, nodeLock: string): ServiceArchive[] {
  const { packages } = JSON.parse(packageLock) as { packages: Record<string, Locked> }
  const node = JSON.parse(nodeLock) as { name: string; version: string; integrity: string }
  const needed = Object.entries(packages)
    .filter(([where, { dev, optional }]) => where !== '' && dev !== true && optional !== true && !LEFT_OUT.test(where))
    .map(([where, locked]) => archive(`opt/bitwitness/${where}`, where.slice(where.lastIndexOf('node_modules/') + 13), locked))
  return [archive('opt/node', node.name, { ...node, license: 'MIT' }), ...needed.sort((a, b) => (a.path < b.path ? -1 : 1))]
}

function archive(path: string, name: string, { version, integrity = '', license = 'unknown' }: Locked): ServiceArchive {
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)) throw new Error(`${name} has no sha512 in its lock`)
  // As npm names it: a scope's @ goes, its slash becomes a dash.
  return { path, name, version, license, file: `${name.replace('@', '').replace('/', '-')}-${version}.tgz`, integrity }
}
