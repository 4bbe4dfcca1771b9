import path from 'node:path'

/** What a folder may import. The most specific folder that holds a file decides; anything not listed is forbidden. */
type Layer = {
  readonly dir: string
  /** Folders or files of the project, by prefix. Its own folder is always allowed. */
  readonly may: readonly string[]
  /** Packages by name; `node:*` allows all of Node's, `@scope/*` a whole scope. */
  readonly packages: readonly string[]
}

export const LAYERS: readonly Layer[] = [
  { dir: 'verifier/model', may: [], packages: ['zod'] },
  { dir: 'verifier/address', may: [], packages: ['node:*'] },
  { dir: 'verifier/bytes', may: ['verifier/model'], packages: ['node:*'] },
  {
    dir: 'verifier/source',
    may: ['verifier/model', 'verifier/address', 'verifier/tar', 'verifier/compare/decompress.ts'],
    packages: ['node:*'],
  },
  { dir: 'verifier/recipe', may: ['verifier/model'], packages: ['zod', 'yaml'] },
  { dir: 'verifier/tar', may: ['verifier/model', 'verifier/bytes'], packages: ['node:*'] },
  { dir: 'verifier/compare', may: ['verifier/model', 'verifier/bytes', 'verifier/tar'], packages: ['node:*'] },
  { dir: 'verifier/explain', may: ['verifier/model', 'verifier/bytes', 'verifier/tar', 'verifier/compare'], packages: ['node:*', 'diff'] },
  {
    dir: 'verifier/builder/inputs',
    may: ['verifier/model', 'verifier/bytes', 'verifier/address', 'verifier/tar'],
    packages: ['node:*', 'p-retry', 'zod'],
  },
  {
    dir: 'verifier/builder',
    may: ['verifier/model', 'verifier/bytes', 'verifier/tar', 'verifier/compare', 'verifier/builder/inputs'],
    packages: ['node:*', 'zod', 'execa'],
  },
  {
    dir: 'verifier/builder/docker',
    may: ['verifier/model', 'verifier/bytes', 'verifier/tar', 'verifier/builder'],
    packages: ['node:*', 'dockerode', 'zod'],
  },
  { dir: 'verifier', may: ['verifier'], packages: ['node:*', 'zod'] },
  { dir: 'attestations/statement', may: ['verifier/model'], packages: ['zod'] },
  { dir: 'attestations/sbom', may: ['verifier/model', 'attestations/statement'], packages: ['node:crypto', '@cyclonedx/*', 'zod'] },
  {
    dir: 'attestations/sign',
    may: ['verifier/model', 'verifier/bytes', 'attestations/statement'],
    packages: ['node:*', '@sigstore/*', 'zod'],
  },
  {
    dir: 'attestations/verify',
    may: ['verifier/model', 'verifier/bytes', 'attestations/statement'],
    packages: ['node:*', '@sigstore/*', 'zod'],
  },
  {
    dir: 'attestations/proof',
    may: [
      'verifier/model',
      'verifier/bytes',
      'verifier/tar',
      'verifier/builder/image-description.ts',
      'verifier/builder/image-packages.ts',
      'verifier/builder/inputs/parse-lock.ts',
      'attestations/sbom',
      'attestations/statement',
      'attestations/verify',
    ],
    packages: ['node:crypto', 'node:util', 'zod'],
  },
  { dir: 'attestations', may: ['verifier/model', 'attestations'], packages: ['node:*', 'zod'] },
  { dir: 'src/app', may: ['verifier', 'attestations'], packages: ['node:*', 'zod'] },
  {
    dir: 'src/db',
    may: ['src/app/store', 'src/app/lifecycle', 'verifier/model'],
    packages: ['drizzle-orm', 'postgres', '@electric-sql/*', 'node:*'],
  },
  {
    dir: 'src/queue',
    may: ['src/app/store', 'src/app/lifecycle', 'src/app/service/service-figures.ts', 'src/db', 'verifier/model'],
    packages: ['pg-boss', 'drizzle-orm', 'postgres'],
  },
  {
    dir: 'src/worker-auth',
    may: ['src/app/service/worker-public-key.ts', 'verifier/model', 'verifier/bytes'],
    packages: ['node:crypto', 'node:path'],
  },
  { dir: 'src/http', may: ['src/app', 'verifier/model'], packages: ['hono', '@hono/*', 'zod'] },
  {
    dir: 'src/logging',
    may: ['src/app/service/request-scope.ts', 'src/app/service/service-events.ts', 'verifier/model'],
    packages: ['pino', 'node:*'],
  },
  {
    dir: 'src/metrics',
    may: ['src/app/service/service-events.ts', 'src/app/service/service-figures.ts', 'src/app/store/records.ts'],
    packages: ['prom-client'],
  },
  { dir: 'src/web', may: ['verifier/model'], packages: ['hono'] },
  { dir: 'src/storage', may: ['verifier/model', 'verifier/bytes'], packages: ['node:*'] },
  { dir: 'src/engine', may: ['src/app/ports.ts', 'src/config', 'src/storage', 'verifier'], packages: ['node:*'] },
  {
    dir: 'src/registry',
    may: ['src/app/image-registry.ts', 'verifier/model', 'verifier/bytes', 'verifier/address'],
    packages: ['node:*', 'zod'],
  },
  { dir: 'src/dstack', may: ['verifier/model', 'verifier/bytes'], packages: ['node:*', 'zod', 'yaml'] },
  { dir: 'src/trust', may: ['verifier/model'], packages: ['node:*', '@sigstore/tuf'] },
  { dir: 'src/download', may: ['verifier/model', 'verifier/bytes', 'verifier/address'], packages: ['node:*'] },
  { dir: 'src/host', may: ['src/app/doctor.ts'], packages: ['node:*'] },
  { dir: 'src/config', may: ['verifier/model', 'verifier/bytes'], packages: ['node:*', 'zod'] },
  {
    dir: 'src/client',
    may: ['src/app/service/api-documents.ts', 'attestations/sign', 'verifier/bytes', 'verifier/model', 'verifier/source'],
    packages: ['node:*', 'zod'],
  },
  {
    dir: 'src/client-room.ts',
    may: ['src/client', 'src/config', 'attestations/sign', 'verifier/model'],
    packages: [],
  },
  {
    dir: 'src/cli',
    may: [
      'src/app',
      'src/client',
      'src/client-room.ts',
      'src/config',
      'src/context.ts',
      'src/registry-room.ts',
      'src/scratch-room.ts',
      'src/signing-room.ts',
      'src/verifying-room.ts',
      'verifier',
      'attestations',
    ],
    packages: ['node:*', '@stricli/*', 'zod'],
  },
  {
    dir: 'src/registry-room.ts',
    may: ['src/app', 'src/config', 'src/dstack', 'src/registry', 'verifier/bytes', 'verifier/model'],
    packages: ['node:*'],
  },
  {
    dir: 'src/claimed-bytes.ts',
    may: ['src/app', 'src/config', 'src/download', 'src/registry-room.ts', 'verifier/model'],
    packages: ['node:*'],
  },
  {
    dir: 'src/builder-room.ts',
    may: ['src/chosen-mirrors.ts', 'src/read-lock.ts', 'src/storage', 'verifier/builder', 'verifier/model'],
    packages: [],
  },
  { dir: 'src/chosen-mirrors.ts', may: ['src/config', 'verifier/builder/inputs'], packages: [] },
  { dir: 'src/read-lock.ts', may: ['verifier/builder/inputs', 'verifier/bytes', 'verifier/model'], packages: [] },
  {
    dir: 'src/store-room.ts',
    may: ['src/app', 'src/config', 'src/db', 'src/queue', 'src/storage', 'verifier/model'],
    packages: ['node:*'],
  },
  { dir: 'src/scratch-room.ts', may: ['src/storage', 'verifier/model'], packages: ['node:*'] },
  {
    dir: 'src/signing-room.ts',
    may: ['src/app/attest.ts', 'src/config', 'attestations', 'verifier/bytes', 'verifier/model'],
    packages: ['node:*'],
  },
  {
    dir: 'src/verifying-room.ts',
    may: [
      'src/app/attached-bundles.ts',
      'src/app/verify-attestation.ts',
      'src/config',
      'src/download',
      'src/registry-room.ts',
      'src/trust',
      'attestations/verify',
      'verifier/bytes',
      'verifier/model',
    ],
    packages: ['node:*'],
  },
  { dir: 'src/context.ts', may: ['src', 'verifier', 'attestations'], packages: ['node:*'] },
  { dir: 'src/bin', may: ['src/cli', 'src/config'], packages: ['node:*'] },
  { dir: 'test', may: ['src', 'verifier', 'attestations', 'mkosi', 'tools'], packages: ['*'] },
  { dir: 'bench', may: ['src', 'verifier', 'attestations', 'test', 'tools'], packages: ['*'] },
  { dir: 'mkosi', may: ['src', 'verifier', 'test'], packages: ['*'] },
  { dir: 'tools', may: ['src', 'verifier', 'attestations'], packages: ['*'] },
]

/** Packages a test file may use beside those of its folder. */
const TEST_PACKAGES = ['vitest', 'fast-check', 'node:*', 'execa', 'yaml']

/** Folders whose functions see no clock, randomness, environment or I/O: their answers depend on their arguments alone. */
const PURE = ['verifier/model', 'verifier/recipe', 'attestations/statement']

/** The only readers of process.env. */
const ENV_READERS = ['src/config', 'src/bin', 'test', 'bench', 'tools', 'mkosi', 'vitest.config.ts']

const DRAWERS = /(^|\/)(utils?|helpers?|common|lib|libs|misc|managers?)(\/|\.[jt]sx?$)/

export function layerOf(file: string): Layer | undefined {
  return LAYERS.filter((layer) => within(file, layer.dir)).toSorted((a, b) => b.dir.length - a.dir.length)[0]
}

/** Why `file` may not import `specifier`, or undefined where it may. Both sides of a relative import are resolved against the project's root. */
export function objection(file: string, specifier: string): string | undefined {
  const layer = layerOf(file)
  const isTest = /\.test\.tsx?$/.test(file) || file.includes('/testing/')
  if (layer === undefined)
    return isTest || !file.includes('/') ? undefined : `${file} is in no layer; add its folder to tools/lint/layers.ts`
  if (specifier.startsWith('.')) {
    const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier))
    if (within(target, layer.dir) && layerOf(target)?.dir === layer.dir) return undefined
    if (layer.may.some((allowed) => within(target, allowed))) return undefined
    if (isTest && (within(target, 'test') || target.includes('/testing/'))) return undefined
    return `${layer.dir} may not import ${target}`
  }
  const allowed = isTest ? [...layer.packages, ...TEST_PACKAGES] : layer.packages
  return allowed.some((pattern) => packageMatches(specifier, pattern)) ? undefined : `${layer.dir} may not import the package ${specifier}`
}

function within(file: string, dir: string): boolean {
  return file === dir || file.startsWith(`${dir}/`)
}

function packageMatches(specifier: string, pattern: string): boolean {
  if (pattern === '*') return true
  if (pattern.endsWith('*')) return specifier.startsWith(pattern.slice(0, -1))
  return specifier === pattern || specifier.startsWith(`${pattern}/`)
}

type Node = { readonly type: string; readonly [key: string]: unknown }
type Context = {
  readonly filename: string
  readonly cwd: string
  report(problem: { node: Node; message: string }): void
}

function projectPath(context: Context): string {
  const file = path.relative(context.cwd, context.filename).split(path.sep).join('/')
  // The mutation fixtures mirror the project below a folder of their own.
  return file.replace(/^tools\/lint\/fixtures\//, '')
}

function checkSource(context: Context, node: Node): void {
  const source = node['source'] as { value?: unknown } | null | undefined
  if (typeof source?.value !== 'string') return
  const message = objection(projectPath(context), source.value)
  if (message !== undefined) context.report({ node, message })
}

const layers = {
  create: (context: Context) => ({
    ImportDeclaration: (node: Node) => checkSource(context, node),
    ExportNamedDeclaration: (node: Node) => checkSource(context, node),
    ExportAllDeclaration: (node: Node) => checkSource(context, node),
    ImportExpression: (node: Node) => checkSource(context, node),
  }),
}

const ENV_MESSAGE = 'only src/config reads process.env'

function mayReadEnv(context: Context): boolean {
  const file = projectPath(context)
  return /\.test\.tsx?$/.test(file) || file.includes('/testing/') || ENV_READERS.some((reader) => within(file, reader))
}

const noProcessEnv = {
  create: (context: Context) => ({
    MemberExpression(node: Node) {
      if (mayReadEnv(context)) return
      if (nameOf(node['object']) === 'process' && nameOf(node['property']) === 'env') context.report({ node, message: ENV_MESSAGE })
    },
    VariableDeclarator(node: Node) {
      if (mayReadEnv(context) || nameOf(node['init']) !== 'process') return
      const properties = (node['id'] as { properties?: Node[] } | undefined)?.properties ?? []
      if (properties.some((property) => nameOf(property['key']) === 'env')) context.report({ node, message: ENV_MESSAGE })
    },
    ImportSpecifier(node: Node) {
      if (mayReadEnv(context) || nameOf(node['imported']) !== 'env') return
      const source = (node['parent'] as { source?: { value?: unknown } } | undefined)?.source?.value
      if (source === 'node:process') context.report({ node, message: ENV_MESSAGE })
    },
  }),
}

const noAmbientEffects = {
  create: (context: Context) => ({
    MemberExpression(node: Node) {
      const file = projectPath(context)
      if (/\.test\.tsx?$/.test(file) || !PURE.some((dir) => within(file, dir))) return
      const name = `${nameOf(node['object'])}.${nameOf(node['property'])}`
      if (['Date.now', 'Math.random', 'crypto.randomUUID', 'performance.now'].includes(name))
        context.report({ node, message: `${name} in a pure folder: pass it in` })
    },
    CallExpression(node: Node) {
      const file = projectPath(context)
      const name = nameOf(node['callee'])
      if (/\.test\.tsx?$/.test(file) || !PURE.some((dir) => within(file, dir)) || name === undefined) return
      if (['fetch', 'setTimeout', 'setInterval', 'Date'].includes(name)) context.report({ node, message: `${name}() in a pure folder` })
    },
    NewExpression(node: Node) {
      const file = projectPath(context)
      if (/\.test\.tsx?$/.test(file) || !PURE.some((dir) => within(file, dir))) return
      const none = Array.isArray(node['arguments']) && node['arguments'].length === 0
      if (nameOf(node['callee']) === 'Date' && none) context.report({ node, message: 'the clock in a pure folder: pass it in' })
    },
  }),
}

const noShell = {
  create: (context: Context) => ({
    Property(node: Node) {
      if (nameOf(node['key']) !== 'shell') return
      const value = node['value'] as { value?: unknown } | undefined
      if (value?.value !== false) context.report({ node, message: 'no shell between us and a process: pass an argument list' })
    },
    ImportDeclaration(node: Node) {
      const source = node['source'] as { value?: unknown }
      if (source.value !== 'node:child_process') return
      for (const specifier of node['specifiers'] as Node[])
        if (['exec', 'execSync'].includes(nameOf(specifier['imported']) ?? ''))
          context.report({ node, message: 'exec goes through a shell: use execFile, spawn or execa' })
    },
  }),
}

const noDrawerFiles = {
  create: (context: Context) => ({
    Program(node: Node) {
      const file = projectPath(context)
      if (DRAWERS.test(file)) context.report({ node, message: `${file}: name a file after what is in it` })
    },
  }),
}

function nameOf(node: unknown): string | undefined {
  const candidate = node as { type?: string; name?: unknown; value?: unknown } | null | undefined
  if (typeof candidate?.name === 'string') return candidate.name
  return typeof candidate?.value === 'string' ? candidate.value : undefined
}

export default {
  meta: { name: 'bitwitness' },
  rules: {
    layers,
    'no-process-env': noProcessEnv,
    'no-ambient-effects': noAmbientEffects,
    'no-shell': noShell,
    'no-drawer-files': noDrawerFiles,
  },
}
