import path from 'node:path'
import { objection, within } from './layers.ts'

/** Folders whose functions see no clock, randomness, environment or I/O: their answers depend on their arguments alone. */
const PURE = ['verifier/model', 'verifier/recipe', 'attestations/statement']

/** The only readers of process.env. */
const ENV_READERS = ['action', 'src/config', 'src/bin', 'test', 'bench', 'tools', 'mkosi', 'vitest.config.ts']

const DRAWERS = /(^|\/)(utils?|helpers?|common|lib|libs|misc|managers?)(\/|\.[jt]sx?$)/

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
