import { z } from 'zod'
import type { ArtifactFormat } from '../model/attempt.ts'
import type { Recipe } from '../model/recipe.ts'
import type { Job } from './sandbox.ts'

export type BuildPlan = { readonly job: Job; readonly sourceDateEpoch: number }

/** Where the agent listens for apt in the container, and where it lays things out. */
const PROXY = 'http://127.0.0.1:3142'
const WORK = '/work'

export type PlanOptions = {
  readonly recipe: Recipe
  readonly sandboxTree: Job['sandboxTree']
  /** Seconds; overrides nothing that the recipe states. */
  readonly sourceDateEpoch: number | null
  readonly profiles: readonly string[]
}

/**
 * What to run: pure. Every folder is named on the command line, where it wins over the recipe; nothing of ours is in the environment
 * but what a build may see. A recipe that states no SourceDateEpoch gets one, for its image would otherwise carry the time of the build.
 */
export function planBuild(options: PlanOptions): BuildPlan {
  const { recipe } = options
  const sourceDateEpoch = recipe.sourceDateEpoch ?? options.sourceDateEpoch ?? 0
  const common = [
    'mkosi',
    `--directory=${WORK}/src`,
    `--output-directory=${WORK}/out`,
    `--workspace-directory=${WORK}/workspace`,
    `--package-cache-dir=${WORK}/cache`,
    '--cache-directory=',
    '--incremental=no',
    `--build-directory=`,
    '--tools-tree=',
    `--sandbox-tree=${WORK}/sandbox`,
    `--proxy-url=${PROXY}`,
    '--local-mirror=',
    `--source-date-epoch=${sourceDateEpoch}`,
    ...options.profiles.map((profile) => `--profile=${profile}`),
    ...(compressible(recipe) ? ['--compress-output=no'] : []),
  ]
  return {
    sourceDateEpoch,
    job: {
      command: [...common, 'build'],
      summary: [...common, '--json', 'summary'],
      environment: {
        PATH: '/usr/bin:/usr/sbin',
        HOME: `${WORK}/home`,
        LANG: 'C.UTF-8',
        LC_ALL: 'C.UTF-8',
        TZ: 'UTC',
        TERM: 'dumb',
        SOURCE_DATE_EPOCH: String(sourceDateEpoch),
        // mkosi's own time stamp in a terminal title, colours and the like depend on this.
        SYSTEMD_COLORS: '0',
      },
      sandboxTree: options.sandboxTree,
    },
  }
}

/** Claims are on uncompressed bytes, so compressing only costs time; mkosi refuses to write an OCI layer uncompressed. */
function compressible(recipe: Recipe): boolean {
  return recipe.images.every((image) => image.format !== 'oci')
}

export type ExpectedOutput = { readonly image: string; readonly stem: string; readonly file: string; readonly format: ArtifactFormat }

const EXTENSIONS: Readonly<Record<string, readonly [extension: string, format: ArtifactFormat]>> = {
  tar: ['.tar', 'tar'],
  directory: ['', 'directory'],
  cpio: ['.cpio', 'cpio'],
  disk: ['.raw', 'disk'],
  portable: ['.raw', 'disk'],
  sysext: ['.raw', 'disk'],
  confext: ['.raw', 'disk'],
  esp: ['.raw', 'esp'],
  uki: ['.efi', 'uki'],
  addon: ['.addon.efi', 'uki'],
  oci: ['', 'oci'],
}

const Summary = z.object({
  Images: z
    .array(
      z.object({
        /** Null for the image of the recipe's own folder. */
        Image: z.string().nullish(),
        Output: z.string().regex(/^(?!\.)[A-Za-z0-9._+~@-]{1,200}$/),
        Format: z.string(),
      }),
    )
    .max(64),
})

/** Which outputs the build must have left, from mkosi's own summary (made inside the sandbox, so its shape is checked, not trusted). */
export function expectedOutputs(summary: unknown): readonly ExpectedOutput[] | undefined {
  const parsed = Summary.safeParse(summary)
  if (!parsed.success) return undefined
  return parsed.data.Images.flatMap(({ Image, Output, Format }) => {
    const known = Object.hasOwn(EXTENSIONS, Format) ? EXTENSIONS[Format] : undefined
    return known === undefined ? [] : [{ image: Image ?? 'main', stem: Output, file: `${Output}${known[0]}`, format: known[1] }]
  })
}
