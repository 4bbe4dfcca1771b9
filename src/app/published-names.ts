import type { Artifact } from '../../verifier/model/attempt.ts'
import { BUILD_MANIFEST_FILE } from './build-folder.ts'
import { PUSH_FILES } from './push-documents.ts'

/** What lies in an output folder beside its manifest and the artifacts; a push adds its own. */
export const LOCK = 'inputs.lock.json'
export const INPUTS = 'inputs.tar'

/** Null where nothing of that kind is written. */
export type PublishedNames = { readonly file: string | null; readonly layout: string | null }

/**
 * Names in an output folder for the artifacts of one build, by artifact: no two the same, nor the same to a file system that ignores case.
 * A file keeps its own name as long as it can; a folder's tar and the image layouts, whose names are ours, give way (`a` as a folder
 * would be `a.tar`, which another artifact may be called). Which is which stands in the manifest.
 */
export function publishedNames(
  artifacts: readonly (Pick<Artifact, 'name' | 'format'> & { readonly oci: unknown })[],
): ReadonlyMap<string, PublishedNames> {
  const taken = new Set<string>([BUILD_MANIFEST_FILE, LOCK, INPUTS, ...Object.values(PUSH_FILES)])
  const take = (wanted: string): string => {
    let name = wanted
    for (let number = 1; taken.has(name.toLowerCase()); number += 1) name = `image-${number === 1 ? '' : `${number}-`}${wanted}`
    taken.add(name.toLowerCase())
    return name
  }
  const files = new Map<string, string>()
  const layouts = new Map<string, string>()
  for (const { name, format } of artifacts) if (format !== 'oci' && format !== 'directory') files.set(name, take(name))
  for (const { name, format } of artifacts) if (format === 'directory') files.set(name, take(`${name}.tar`))
  for (const { name, format, oci } of artifacts) if (format !== 'oci' && oci !== null) layouts.set(name, take(`${name}.oci`))
  return new Map(artifacts.map(({ name }) => [name, { file: files.get(name) ?? null, layout: layouts.get(name) ?? null }]))
}
