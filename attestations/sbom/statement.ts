import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { imageName } from '../statement/evidence-of.ts'
import { PREDICATE_TYPE, STATEMENT_TYPE } from '../statement/predicate-types.ts'
import { distinctSubjects, type Statement, subjectOf } from '../statement/statement.ts'
import type { SbomInput } from './sbom-input.ts'

/** The statement that an image consists of what a bill of materials lists; the bill, as `sbomOf` wrote it, is its predicate. */
export function sbomStatement(image: SbomInput['image'], sbom: string): Statement {
  return {
    _type: STATEMENT_TYPE,
    subject: distinctSubjects([
      subjectOf(image.name, image.sha256),
      ...(image.ociManifest === null ? [] : [subjectOf(imageName(image.name), image.ociManifest)]),
    ]),
    predicateType: PREDICATE_TYPE.sbom,
    predicate: parseStrictJson(new TextEncoder().encode(sbom)),
  }
}
