import type { ComposeLint } from '../compose/lint-compose.ts'
import { imageNameOf, pinnedImage } from '../compose/pinned-image.ts'
import type { Decision, RuleResult } from '../gate/decision.ts'
import type { Inspection, InspectionLine } from './inspection.ts'
import { fail, ifBelieved, lineOf, pass, type Said, skip } from './lines.ts'

/** What a gate said; a text says why it could not be asked. Null: no policy is at hand. */
export type Judged = Decision | string | null

export function imagesOf(lint: ComposeLint | string | null): Inspection['images'] {
  if (lint === null || typeof lint === 'string') return []
  return lint.images.map(({ service, image }) => {
    const pinned = image === null ? undefined : pinnedImage(image)
    return { service, name: pinned === undefined ? null : imageNameOf(pinned), digest: pinned?.digest ?? null }
  })
}

/** Where every image comes from that the app-compose names, as the gate says it. */
export function imageLines(lint: ComposeLint | string | null, judged: Judged, believed: boolean): readonly InspectionLine[] {
  const images = imagesOf(lint)
  if (images.length === 0)
    return [
      lineOf('image', lint === null || typeof lint === 'string' ? skip('there is no app-compose to look at') : fail('it names no image')),
    ]
  return images.map(({ service, name, digest }) =>
    lineOf('image', ifBelieved(said(service, { name, digest }, judged), believed), `Image of service ${service}`),
  )
}

function said(service: string, { name, digest }: { readonly name: string | null; readonly digest: string | null }, judged: Judged): Said {
  if (name === null || digest === null) return fail('it is not named by a digest: other code can come under the same compose hash')
  const detail = `${name}@sha256:${digest}`
  if (judged === null) return skip('no policy says from which source it would have to be', detail)
  if (typeof judged === 'string') return skip(judged, detail)
  const rules = judged.rules.filter(({ subject }) => subject === `service ${service}`)
  const bad = rules.find(({ result }) => result === 'fail')
  if (bad !== undefined) return fail(`${bad.rule}: ${bad.reason}`, detail)
  return rules.some(({ result }) => result === 'pass')
    ? pass('the policy’s signers attest that it was reproduced from an admitted source', detail)
    : skip('the policy says nothing of it', detail)
}

/** What else the policy says: of the app, its app-compose and the guest. */
export function policyLines(judged: Judged, believed: boolean): readonly InspectionLine[] {
  if (judged === null) return [lineOf('policy', skip('no policy was given'), 'Policy')]
  if (typeof judged === 'string') return [lineOf('policy', skip(judged), 'Policy')]
  return judged.rules
    .filter(({ subject }) => !subject.startsWith('service '))
    .map((rule) => lineOf('policy', ifBelieved(ruleSaid(rule), believed), rule.rule))
}

function ruleSaid({ result, reason }: RuleResult): Said {
  return { status: result, reason }
}
