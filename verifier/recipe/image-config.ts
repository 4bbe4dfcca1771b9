import { z } from 'zod'
import type { ImageConfig } from '../model/recipe.ts'
import { readPlainYaml, type YamlProblem } from './plain-yaml.ts'
import type { TreeView } from './tree-view.ts'

/** Beside mkosi.conf: how the finished tree is packed as an OCI image. */
export const IMAGE_CONFIG_FILE = 'bitwitness.yaml'

export type ImageConfigReading = {
  readonly imageConfig: ImageConfig
  readonly problems: readonly YamlProblem[]
}

const MOST_BYTES = 64 * 1024
const EMPTY: ImageConfig = { entrypoint: [], cmd: [], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} }

const text = z
  .string()
  .max(4096)
  .regex(/^[^\0]*$/)
const list = z.array(text).max(256)
const File = z.strictObject({
  image: z
    .strictObject({
      entrypoint: list.optional(),
      cmd: list.optional(),
      workingDir: text.regex(/^\//).optional(),
      user: z
        .string()
        .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$/)
        .optional(),
      env: z
        .array(text.regex(/^[A-Za-z_][A-Za-z0-9_]*=/))
        .max(256)
        .optional(),
      exposedPorts: z.array(z.string().refine(isPort)).max(256).optional(),
      labels: z.record(text.min(1), text).optional(),
    })
    .optional(),
})

/** What the recipe's bitwitness.yaml says; empty, with problems, where it says nothing or cannot be trusted to say one thing only. Never throws. */
export function readImageConfig(tree: TreeView): ImageConfigReading {
  const found = tree.resolve('', IMAGE_CONFIG_FILE)
  if (found.kind === 'missing') return { imageConfig: EMPTY, problems: [] }
  const refuse = (line: number | null, message: string): ImageConfigReading => ({ imageConfig: EMPTY, problems: [{ line, message }] })
  if (found.kind !== 'file' || found.links.length > 0) return refuse(null, 'it is no file of its own')
  if ((tree.entry(found.path)?.size ?? 0) > MOST_BYTES) return refuse(null, 'it is larger than 64 KiB')
  const content = tree.text(found.path)
  if (content === undefined) return refuse(null, 'it is no UTF-8 text')
  const { data, problems } = readPlainYaml(content, File)
  if (data === null) return { imageConfig: EMPTY, problems }
  const image = data.image ?? {}
  return {
    imageConfig: { ...EMPTY, ...Object.fromEntries(Object.entries(image).filter(([, value]) => value !== undefined)) },
    problems,
  }
}

function isPort(value: string): boolean {
  const match = /^([1-9]\d{0,4})\/(tcp|udp|sctp)$/.exec(value)
  return match !== null && Number(match[1]) <= 65_535
}
