import path from 'node:path'

export type Environment = Readonly<Record<string, string | undefined>>

export type Inputs = {
  /** Path of the program's launcher. */
  readonly program: string
  readonly recipe: string
  readonly server: URL | null
  readonly token: string | null
  readonly source: 'git' | 'upload'
  readonly claims: readonly string[]
  readonly lock: string | null
  readonly attempts: number
  readonly buildAttempts: number
  readonly sendInputs: boolean
  /** `none`, a path, a URL; null: what the service knows. */
  readonly previous: string | null
  readonly fail: boolean
  readonly output: string | null
  /** The commit that the job is about, as the service is told it; null outside of a repository. */
  readonly repository: { readonly url: string; readonly commit: string } | null
  readonly workspace: string
  readonly temporary: string
  readonly files: { readonly output: string; readonly summary: string | null }
}

/** A value of the workflow's that cannot be. */
export class InputRefused extends Error {}

/** Reads what action.yml hands over and what GitHub sets for every step. Throws `InputRefused`; no value that could be a secret is repeated. */
export function readInputs(environment: Environment): Inputs {
  const input = (name: string): string => (environment[`INPUT_${name}`] ?? '').trim()
  const optional = (name: string): string | null => (input(name) === '' ? null : input(name))
  const { GITHUB_SERVER_URL: host, GITHUB_REPOSITORY: name, GITHUB_SHA: commit } = environment
  return {
    program: required(input('PROGRAM'), 'the program was not installed'),
    recipe: recipeOf(input('RECIPE')),
    server: serverOf(input('SERVER')),
    token: optional('TOKEN'),
    source: oneOf(input('SOURCE') || 'git', ['git', 'upload'], 'source'),
    claims: input('CLAIM').split(/\s+/).filter((claim) => claim !== ''), // biome-ignore format: one a line
    lock: optional('LOCK'),
    attempts: count(input('ATTEMPTS') || '2', 'attempts'),
    buildAttempts: count(input('BUILD_ATTEMPTS') || '1', 'build-attempts'),
    sendInputs: oneOf(input('SEND_INPUTS') || 'false', ['true', 'false'], 'send-inputs') === 'true',
    previous: optional('PREVIOUS'),
    fail: oneOf(input('FAIL') || 'true', ['true', 'false'], 'fail') === 'true',
    output: optional('OUTPUT'),
    repository:
      host === undefined || name === undefined || commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)
        ? null
        : { url: `${host}/${name}.git`, commit },
    workspace: environment['GITHUB_WORKSPACE'] ?? process.cwd(),
    temporary: required(environment['RUNNER_TEMP'] ?? '', 'RUNNER_TEMP is not set'),
    files: {
      output: required(environment['GITHUB_OUTPUT'] ?? '', 'GITHUB_OUTPUT is not set'),
      summary: environment['GITHUB_STEP_SUMMARY'] ?? null,
    },
  }
}

function required(value: string, otherwise: string): string {
  if (value === '') throw new InputRefused(otherwise)
  return value
}

/** A folder of the repository: the same below the checkout and in the source that the service is told. */
function recipeOf(text: string): string {
  const recipe = path.posix.normalize(text === '' ? '.' : text).replace(/\/$/, '')
  // A source is written REPOSITORY#COMMIT:FOLDER: a folder is named by what stands behind the colon, whatever it is.
  if (path.posix.isAbsolute(recipe) || recipe.split('/').includes('..') || /[\0\r\n]/.test(recipe))
    throw new InputRefused('recipe: give a folder of the repository, such as image or images/app')
  return recipe
}

function serverOf(text: string): URL | null {
  if (text === '') return null
  const url = URL.parse(text.endsWith('/') ? text : `${text}/`)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || /[()?#]/.test(url.href))
    throw new InputRefused('server: give the https URL of a service')
  return url
}

function count(text: string, name: string): number {
  if (!/^[1-9]$/.test(text)) throw new InputRefused(`${name}: give a number from 1 to 9`)
  return Number(text)
}

function oneOf<const T extends string>(text: string, values: readonly T[], name: string): T {
  const value = values.find((one) => one === text)
  if (value === undefined) throw new InputRefused(`${name}: give ${values.join(' or ')}`)
  return value
}
