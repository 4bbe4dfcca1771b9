import { visible } from '../../../verifier/model/visible.ts'
import type { DeployDocument } from '../../app/deploy/deploy-document.ts'
import type { DeploymentEvent, Offer } from '../../app/deploy/deployment.ts'
import { decisionLines } from './decision.ts'
import { paint } from './paint.ts'
import { quoted } from './quoted.ts'

/** What happened, as it happens. */
export function eventLine(event: DeploymentEvent): string {
  switch (event.kind) {
    case 'offered':
      return offered(event.offer)
    case 'decided':
      return `decided    ${event.decision.decision}, by ${event.basis === 'predicted' ? 'what will be measured' : 'what the guest attests'}`
    case 'unpredicted':
      return 'unseen     nobody has seen its bytes: it is started without environment, as ordered'
    case 'committing':
      return 'starting'
    case 'committed':
      return `started    guest ${visible(event.guest)}`
    case 'attested':
      return `attested   app-compose ${event.appCompose}`
    case 'state':
      return `guest      ${event.state.status}`
    case 'live':
      return `running    ${event.answers.map(({ path, status }) => `${visible(path)} ${status ?? 'no answer'}`).join(', ')}`.trimEnd()
    case 'stopping':
      return `stopping   ${visible(event.why.message)} (${visible(event.why.code)})`
    case 'ended':
      return `${event.state.padEnd(10)} ${visible(event.why.message)} (${visible(event.why.code)})`
  }
}

/** With what a policy has to list for it. */
function offered({ composeHash, appId, osImageHash }: Offer): string {
  const of = [appId === null ? '' : `, app ${appId}`, osImageHash === null ? '' : `, guest image ${osImageHash}`]
  return `offered    compose hash ${composeHash}${of.join('')}`
}

/** What came of it, why, and where it answers. */
export function deployLines(
  document: DeployDocument,
  { color, stateFile }: { readonly color: boolean; readonly stateFile: string },
): string[] {
  const { verdict, pushed, verification, admission, deployment, now, url, announcement, provenance } = document
  const { good, bad, unsure } = paint(color)
  const brush = verdict === 'running' ? good : verdict === null ? unsure : bad
  const decided = deployment?.events.findLast((event) => event.kind === 'decided')
  const ended = deployment?.events.findLast((event) => event.kind === 'ended')
  const live = now ?? deployment?.events.findLast((event) => event.kind === 'live')
  const why = now?.why ?? ended?.why
  return [
    brush(verdict ?? 'not known yet'),
    ...(pushed === null ? [] : [`  image        ${visible(pushed.image)}`]),
    ...(verification === null ? [] : [`  rebuilt      ${verification.verdict ?? 'no verdict yet'}`]),
    ...(admission === null
      ? []
      : [
          `  admission    ${admission.admitted ? 'admitted at the service' : `not admitted at the service (${visible(admission.code ?? '')})`}`,
        ]),
    ...(now === null ? [] : [`  guest        ${now.status}, asked at ${now.at}`]),
    ...(why === undefined ? [] : [`  why          ${visible(why.message)} (${visible(why.code)})`, `               ${visible(why.hint)}`]),
    ...(live?.answers ?? []).map(
      ({ path, status }) => `  asked        ${visible(path)}: ${status === null ? 'no answer' : `HTTP ${status}`}`,
    ),
    ...(url === null ? [] : [`  live         ${visible(url)}`]),
    ...(announcement === null
      ? []
      : [
          `  observed     ${announcement.code === null ? 'the service looks at it from now on' : `not by the service (${visible(announcement.code)})`}`,
        ]),
    ...(provenance === null ? [] : [`  provenance   ${visible(provenance)}`]),
    `  state        ${quoted(stateFile)}`,
    ...(verdict === null ? ['', 'The same command goes on from here.'] : []),
    ...(verdict === 'denied' && decided !== undefined ? ['', ...decisionLines(decided.decision, { color })] : []),
  ]
}
