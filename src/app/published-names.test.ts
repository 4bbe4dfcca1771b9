import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ArtifactFormat } from '../../verifier/model/attempt.ts'
import { publishedNames } from './published-names.ts'

const one = (name: string, format: ArtifactFormat) => ({ name, format, oci: ['tar', 'directory', 'oci'].includes(format) ? {} : null })

describe('what is published', () => {
  it('has its own name; a folder is a tar, and a tree has an image beside it', () => {
    const names = publishedNames([one('image.tar', 'tar'), one('disk.raw', 'disk'), one('root', 'directory'), one('image', 'oci')])
    expect(Object.fromEntries(names)).toEqual({
      'image.tar': { file: 'image.tar', layout: 'image.tar.oci' },
      'disk.raw': { file: 'disk.raw', layout: null },
      root: { file: 'root.tar', layout: 'root.oci' },
      image: { file: null, layout: null },
    })
  })

  it('gives way where another artifact, or a file of ours, has that name', () => {
    const names = publishedNames([
      one('a', 'directory'),
      one('A.tar', 'tar'),
      one('image-a', 'directory'),
      one('a.oci', 'disk'),
      one('inputs', 'directory'),
      one('build-manifest.json', 'other'),
    ])
    expect(Object.fromEntries(names)).toEqual({
      a: { file: 'image-a.tar', layout: 'image-a.oci' },
      'A.tar': { file: 'A.tar', layout: 'A.tar.oci' },
      'image-a': { file: 'image-image-a.tar', layout: 'image-image-a.oci' },
      'a.oci': { file: 'a.oci', layout: null },
      inputs: { file: 'image-inputs.tar', layout: 'inputs.oci' },
      'build-manifest.json': { file: 'image-build-manifest.json', layout: null },
    })
  })

  it('never shares a name with anything else in the folder', () => {
    const stem = fc.constantFrom('a', 'A', 'a.tar', 'a.oci', 'a.tar.oci', 'image-a', 'image-a.tar', 'image-2-a.tar', 'inputs', 'inputs.tar')
    const artifact = fc.tuple(stem, fc.constantFrom<ArtifactFormat>('tar', 'directory', 'disk', 'oci'))
    fc.assert(
      fc.property(fc.uniqueArray(artifact, { selector: ([name]) => name }), (artifacts) => {
        const published = [...publishedNames(artifacts.map(([name, format]) => one(name, format))).values()]
        const names = published.flatMap(({ file, layout }) => [file, layout]).filter((name) => name !== null)
        const all = [...names, 'build-manifest.json', 'inputs.lock.json', 'inputs.tar'].map((name) => name.toLowerCase())
        expect(new Set(all).size).toBe(all.length)
        expect(published).toHaveLength(artifacts.length)
      }),
    )
  })
})
