import { z } from 'zod'
import { type NamedPackage, parsePackageUrl } from '../statement/parse-package-url.ts'

const Bill = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  components: z.array(z.looseObject({ purl: z.string().optional() })).default([]),
})

/** The Debian and npm packages that a CycloneDX document lists, whoever wrote it; null for what is none. */
export function listedPackages(value: unknown): readonly NamedPackage[] | null {
  const parsed = Bill.safeParse(value)
  if (!parsed.success) return null
  return parsed.data.components.flatMap(({ purl }) => (purl === undefined ? [] : (parsePackageUrl(purl) ?? [])))
}
