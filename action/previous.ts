import { stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Inputs } from './inputs.ts'
import { fetched, jsonOf, member, type Service } from './service.ts'

/** Files that describe an image together, as `bitwitness changes` takes them; `why` says why there are none. */
export type Described = { readonly files: readonly string[]; readonly why: string | null }

const MOST_RELEASE = 1 << 30
const none = (why: string): Described => ({ files: [], why })

/**
 * What the image is compared with: the file or URL that the workflow names, else the newest verification of the same folder of the same
 * repository that the service reproduced. Files go into `folder`, under names of ours.
 */
export async function previousImage(
  { previous, workspace, repository, recipe }: Inputs,
  { service, folder }: { readonly service: Service | null; readonly folder: string },
): Promise<Described> {
  if (previous === 'none') return none('the workflow wants no comparison')
  if (previous !== null && /^https?:\/\//.test(previous)) return await downloaded(previous, path.join(folder, 'previous-release'))
  if (previous !== null) {
    const file = path.resolve(workspace, previous)
    return await stat(file).then(
      () => ({ files: [file], why: null }),
      () => none('the file that `previous` names is not there'),
    )
  }
  if (service === null || repository === null) return none('nothing says what to compare with')
  return (
    (await knownImage(service, { url: repository.url, recipe, folder })) ?? none('the service reproduced nothing of this source before')
  )
}

async function downloaded(text: string, file: string): Promise<Described> {
  const url = URL.parse(text)
  const bytes = url?.protocol === 'https:' ? await fetched(url, MOST_RELEASE, 'follow') : null
  if (bytes === null) return none('what `previous` names could not be fetched: give an https URL')
  await writeFile(file, bytes, { mode: 0o600 })
  return { files: [file], why: null }
}

async function knownImage(
  service: Service,
  o: { readonly url: string; readonly recipe: string; readonly folder: string },
): Promise<Described | null> {
  const list = await service.document(
    `v1/verifications?${new URLSearchParams({ source: o.url, verdict: 'reproduced', limit: '50' }).toString()}`,
  )
  const items = member(list, 'items')
  const found = (Array.isArray(items) ? items : []).find(
    (item) =>
      member(item, 'source', 'url') === o.url && member(item, 'source', 'path') === o.recipe && member(item, 'verdict') === 'reproduced',
  )
  const report = await service.blob(member(found, 'report'))
  return report === null ? null : await describedBy(service, { report: jsonOf(report), name: 'previous', folder: o.folder })
}

/** What a report says of the image that its attempts built: tree manifest and lock, as far as the service gives them out. */
export async function describedBy(
  service: Service,
  { report, name, folder }: { readonly report: unknown; readonly name: string; readonly folder: string },
): Promise<Described> {
  const attempts = member(report, 'attempts')
  const trees = (Array.isArray(attempts) ? attempts : [])
    .slice(0, 1)
    .flatMap((attempt) => [member(attempt, 'artifacts')].flat())
    .map((artifact) => member(artifact, 'treeManifest'))
    .filter((tree) => typeof tree === 'string')
  const parts = { [`${name}.tree`]: trees.length === 1 ? trees[0] : null, [`${name}.lock.json`]: member(report, 'lock') }
  const files: string[] = []
  for (const [file, digest] of Object.entries(parts)) {
    const bytes = await service.blob(digest)
    if (bytes === null) continue
    await writeFile(path.join(folder, file), bytes, { mode: 0o600 })
    files.push(path.join(folder, file))
  }
  return files.length === 0 ? none('the service does not have what the image consists of any more') : { files, why: null }
}
