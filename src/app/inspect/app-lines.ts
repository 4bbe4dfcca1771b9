import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { ComposeLint } from '../compose/lint-compose.ts'
import type { GatewayUrl } from '../deploy/gateway-url.ts'
import { type Evidence, factsOf } from './evidence.ts'
import type { InspectionLine } from './inspection.ts'
import { fail, ifBelieved, info, lineOf, pass, type Said, skip } from './lines.ts'
import { compareMrConfig } from './mr-config.ts'

/** What is to run somewhere, by the word of whoever deployed it. */
export type Deployed = { readonly appId: string; readonly composeHash: Sha256 }

type Wanted = { readonly url: GatewayUrl; readonly deployed: Deployed | null }

/** Which app it is, and what it has run. `lint`: a text says why the app-compose cannot be read. */
export function appLines(evidence: Evidence, wanted: Wanted, lint: ComposeLint | string | null): readonly InspectionLine[] {
  return [
    lineOf('app-id', ifBelieved(appId(evidence, wanted), evidence.believed)),
    lineOf('compose-hash', ifBelieved(composeHash(evidence, wanted), evidence.believed)),
    lineOf('mr-config-id', mrConfigId(evidence)),
    lineOf('compose-lint', linted(lint)),
  ]
}

const NOT_MEASURED = 'nothing is known of what the guest measured'

function appId(evidence: Evidence, { url: { id }, deployed }: Wanted): Said {
  const facts = factsOf(evidence)
  if (facts === null) return skip(NOT_MEASURED)
  if (deployed !== null && deployed.appId !== facts.appId) return fail('the guest measured another id than was deployed', facts.appId)
  if (id === facts.appId) return pass('the guest measured the id that the URL names', id)
  return id === facts.instanceId
    ? pass('the guest measured the id of the instance that the URL names', facts.appId)
    : fail('the guest measured another id than the URL names', facts.appId)
}

function composeHash(evidence: Evidence, { deployed }: Wanted): Said {
  const facts = factsOf(evidence)
  const { info: told } = evidence.asked
  if (facts === null) return skip(NOT_MEASURED)
  if (deployed !== null && deployed.composeHash !== facts.composeHash)
    return fail('the guest measured another app-compose than was deployed', facts.composeHash)
  if (told.value === null) return skip(told.reason)
  if (told.value.appCompose === null) return skip('the app does not show its app-compose (public_tcbinfo)', facts.composeHash)
  return digestOf(told.value.appCompose) === facts.composeHash
    ? pass('the bytes that the guest shows are those that it measured', facts.composeHash)
    : fail('the bytes that the guest shows are not those that it measured', facts.composeHash)
}

function mrConfigId(evidence: Evidence): Said {
  const facts = factsOf(evidence)
  if (facts === null || evidence.quote === null) return skip(NOT_MEASURED)
  const answer = compareMrConfig(evidence.quote.mrConfigId, facts, evidence.asked.info.value?.mrConfig ?? null)
  switch (answer) {
    case 'same':
      return evidence.signature.result === 'valid'
        ? pass('the quote’s mr_config_id is that of this app-compose')
        : info('the mr_config_id of a quote whose signature was not verified is that of this app-compose')
    case 'other':
      return fail('the quote’s mr_config_id is of another app-compose, app or key provider')
    case 'none':
      return skip('the host launched the guest without an mr_config_id')
    case 'no-document':
      return skip('the mr_config_id is the hash of a document that the guest does not show')
    case 'no-key-provider':
      return skip('the guest did not measure where its keys come from, which the mr_config_id is made of')
    case 'unknown-form':
      return skip('the mr_config_id is in a form that is not read here')
  }
}

function linted(lint: ComposeLint | string | null): Said {
  if (lint === null) return skip('there is no app-compose to look at')
  if (typeof lint === 'string') return fail(`the app-compose cannot be read: ${lint}`)
  const count = (severity: string): number => lint.findings.filter((finding) => finding.severity === severity).length
  const detail = `${count('deny')} deny, ${count('warn')} warn, ${count('info')} info`
  return lint.findings.length === 0
    ? info('no rule says anything')
    : info('what rules say stands in full in compose lint, and a policy decides about it', detail)
}
