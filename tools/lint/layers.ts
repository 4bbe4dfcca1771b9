import path from 'node:path'
import { ROOMS } from './rooms.ts'

/** What a folder may import. The most specific folder that holds a file decides; anything not listed is forbidden. */
export type Layer = {
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
  {
    dir: 'src/app/compose',
    may: ['src/app/push.ts', 'src/app/push-documents.ts', 'verifier/model', 'verifier/bytes'],
    packages: ['node:*', 'yaml', 'zod'],
  },
  {
    dir: 'src/app/gate',
    may: ['src/app/compose', 'src/app/verify-attestation.ts', 'src/app/bundle-documents.ts', 'verifier', 'attestations'],
    packages: ['node:*', 'zod'],
  },
  {
    dir: 'src/app/inspect',
    may: ['src/app/compose', 'src/app/deploy/gateway-url.ts', 'src/app/gate', 'verifier/bytes', 'verifier/model'],
    packages: ['node:crypto', '@noble/hashes', 'zod'],
  },
  { dir: 'src/app', may: ['src/app/compose', 'src/app/gate', 'src/app/inspect', 'verifier', 'attestations'], packages: ['node:*', 'zod'] },
  {
    dir: 'src/db',
    may: [
      'src/app/store',
      'src/app/lifecycle',
      'src/app/gate/decision.ts',
      'src/app/deploy/deployment.ts',
      'src/app/inspect/inspection.ts',
      'src/app/gate/boot-info.ts',
      'src/app/gate/standing-result.ts',
      'verifier/model',
    ],
    packages: ['drizzle-orm', 'postgres', '@electric-sql/*', 'node:*'],
  },
  {
    dir: 'src/queue',
    may: ['src/app/store', 'src/app/lifecycle', 'src/app/service/service-figures.ts', 'src/db', 'verifier/model'],
    packages: ['pg-boss', 'drizzle-orm', 'postgres'],
  },
  {
    dir: 'src/control',
    may: ['src/app/service/operator.ts', 'src/app/service/operator-documents.ts', 'src/app/service/worker-public-key.ts', 'verifier/model'],
    packages: ['node:*', 'hono', '@hono/node-server', 'zod'],
  },
  {
    dir: 'src/identity',
    may: ['src/app/service/identity.ts', 'verifier/bytes', 'verifier/model', 'verifier/recipe/plain-yaml.ts'],
    packages: ['node:*', 'jose', 'zod'],
  },
  {
    dir: 'src/worker-auth',
    may: ['src/app/service/worker-public-key.ts', 'verifier/model', 'verifier/bytes'],
    packages: ['node:crypto', 'node:path'],
  },
  { dir: 'src/http', may: ['src/app', 'src/worker-auth', 'verifier/model'], packages: ['hono', '@hono/*', 'zod'] },
  {
    dir: 'src/logging',
    may: [
      'src/app/service/request-scope.ts',
      'src/app/service/service-events.ts',
      'src/config/log-levels.ts',
      'src/worker/worker-news.ts',
      'verifier/model',
    ],
    packages: ['pino', 'node:*'],
  },
  {
    dir: 'src/metrics',
    may: ['src/app/service/service-events.ts', 'src/app/service/service-figures.ts', 'src/app/store/records.ts', 'verifier/model'],
    packages: ['prom-client'],
  },
  { dir: 'src/worker', may: ['src/app/service', 'src/worker-auth', 'verifier'], packages: ['node:*', 'p-retry', 'zod'] },
  { dir: 'src/web', may: ['verifier/model'], packages: ['hono'] },
  { dir: 'src/storage', may: ['verifier/model', 'verifier/bytes'], packages: ['node:*'] },
  { dir: 'src/engine', may: ['src/app/ports.ts', 'src/config', 'src/storage', 'verifier'], packages: ['node:*'] },
  {
    dir: 'src/registry',
    may: ['src/app/image-registry.ts', 'verifier/model', 'verifier/bytes', 'verifier/address'],
    packages: ['node:*', 'zod'],
  },
  {
    dir: 'src/dstack',
    may: ['src/app/deploy', 'src/app/inspect', 'attestations/sign/http-answer.ts', 'verifier/address', 'verifier/model', 'verifier/bytes'],
    packages: ['node:*', '@phala/dcap-qvl', '@sigstore/core', 'zod', 'yaml'],
  },
  { dir: 'src/trust', may: ['verifier/model'], packages: ['node:*', '@sigstore/tuf'] },
  {
    dir: 'src/notify',
    may: ['src/app/service/webhook-signature.ts', 'verifier/model', 'verifier/bytes', 'verifier/address'],
    packages: ['node:*'],
  },
  { dir: 'src/download', may: ['verifier/model', 'verifier/bytes', 'verifier/address'], packages: ['node:*'] },
  { dir: 'src/host', may: ['src/app/doctor.ts'], packages: ['node:*'] },
  { dir: 'src/config', may: ['verifier/model', 'verifier/bytes', 'verifier/recipe/plain-yaml.ts'], packages: ['node:*', 'zod'] },
  {
    dir: 'src/client',
    may: [
      'src/app/gate/policy-impact.ts',
      'src/app/service/api-documents.ts',
      'src/app/service/deployment-documents.ts',
      'attestations/sign',
      'verifier/bytes',
      'verifier/model',
      'verifier/source',
    ],
    packages: ['node:*', 'zod'],
  },
  {
    dir: 'src/cli',
    may: [
      'src/app',
      'src/client',
      'src/client-room.ts',
      'src/config',
      'src/context.ts',
      'src/inspect-room.ts',
      'src/deploy-room.ts',
      'src/operator-room.ts',
      'src/worker-key-room.ts',
      'src/worker-room.ts',
      'src/registry-room.ts',
      'src/scratch-room.ts',
      'src/service-room.ts',
      'src/signing-room.ts',
      'src/verifying-room.ts',
      'verifier',
      'attestations',
    ],
    packages: ['node:*', '@stricli/*', 'zod'],
  },
  { dir: 'src/bin', may: ['src/cli', 'src/config'], packages: ['node:*'] },
  {
    // Runs before anything is installed: of the project it takes only what needs no package, and types.
    dir: 'action',
    may: [
      'src/app/sbom.ts',
      'src/cli/render/markdown.ts',
      'src/client/submission-document.ts',
      'verifier/model/attempt.ts',
      'verifier/model/build-manifest.ts',
      'verifier/model/report.ts',
      'verifier/model/visible.ts',
    ],
    packages: ['node:*'],
  },
  { dir: 'action/testing', may: ['src', 'verifier'], packages: ['node:*'] },
  { dir: 'test', may: ['src', 'verifier', 'attestations', 'mkosi', 'tools'], packages: ['*'] },
  { dir: 'bench', may: ['src', 'verifier', 'attestations', 'test', 'tools'], packages: ['*'] },
  { dir: 'mkosi', may: ['src', 'verifier', 'test'], packages: ['*'] },
  // The demonstration deploys to what stands in for dstack in tests.
  { dir: 'tools', may: ['src', 'verifier', 'attestations', 'test/stand-ins'], packages: ['*'] },
  ...ROOMS,
]

/** Packages a test file may use beside those of its folder. */
const TEST_PACKAGES = ['vitest', 'fast-check', 'node:*', 'execa', 'yaml']

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

export function within(file: string, dir: string): boolean {
  return file === dir || file.startsWith(`${dir}/`)
}

function packageMatches(specifier: string, pattern: string): boolean {
  if (pattern === '*') return true
  if (pattern.endsWith('*')) return specifier.startsWith(pattern.slice(0, -1))
  return specifier === pattern || specifier.startsWith(`${pattern}/`)
}
