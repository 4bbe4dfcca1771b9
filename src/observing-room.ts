import { digestOf } from '../verifier/bytes/digest-of.ts'
import { Failure } from '../verifier/model/failure.ts'
import { parseGatewayUrl } from './app/deploy/gateway-url.ts'
import { readBootMeasurements } from './app/inspect/boot-measurements.ts'
import { inspectApp } from './app/inspect/inspect-app.ts'
import type { InspectPorts } from './app/inspect/inspect-ports.ts'
import { answerGate, type GuestPorts } from './app/service/answer-guest.ts'
import type { ObservationWorkPorts } from './app/service/observation-work.ts'
import type { Policies } from './app/service/policies.ts'
import type { Settings } from './config/settings.ts'
import { openInspectRoom } from './inspect-room.ts'

type Needs = Pick<Settings, 'gateways' | 'sources' | 'collateral' | 'simulatedRoot' | 'measurements'>

/** Looks at what was deployed, by what the service knows. Fails with `setting-conflict`, and as reading the files of the settings does. */
export async function openObserving(
  settings: Needs,
  gate: GuestPorts & { readonly policies: Pick<Policies, 'find'> },
): Promise<ObservationWorkPorts['inspect']> {
  const { collateral, simulatedRoot, measurements: file } = settings
  if (collateral !== null && simulatedRoot !== null)
    throw new Failure({
      code: 'setting-conflict',
      message: 'BITWITNESS_COLLATERAL and BITWITNESS_SIMULATED_ROOT are both set',
      hint: 'unset one of them: a quote is held against Intel’s root or against one that stands in for it',
    })
  const { signal: never } = new AbortController()
  const room = await openInspectRoom(settings, { collateral, simulatedRoot }, never)
  const measurements = file === null ? null : await readBootMeasurements(file, never)
  return async ({ url, healthPath, policy: name, deployed }, signal) => {
    const policy = name === null ? undefined : await gate.policies.find(name)
    const ask: InspectPorts['gate'] = async ({ appCompose, appId: id, guest }, stop) =>
      policy === undefined
        ? Promise.reject(new Error('there is no policy to ask'))
        : await answerGate(gate, policy, { app: { id, composeHash: digestOf(appCompose) }, guest }, stop)
    const ports = { ...room, gate: policy === undefined ? null : ask }
    return await inspectApp(ports, { url: parseGatewayUrl(url), healthPath, measurements, deployed, signal })
  }
}
