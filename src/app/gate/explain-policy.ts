import type { Policy, PolicySigner } from './policy.ts'

/** What a policy asks for, in sentences: everything that it allows, and nothing else. */
export function explainPolicy(policy: Policy): readonly string[] {
  const { signers, sources, images, builders, tiers, attestations, indexes, compose, apps, osImages, tcb, mode } = policy
  return [
    mode === 'observe'
      ? 'It only observes: everything is allowed, and what it would deny is said.'
      : 'It enforces: whatever is not said below is denied.',
    `Signed by ${either(signers.map(signerName))}.`,
    ...Object.entries(images).flatMap(([image, { source }]) => {
      const from = sources[source]
      return from === undefined
        ? []
        : [
            `${image} has to be rebuilt from ${from.repository}, folder ${from.path}, from a commit on ${either(from.refs)}, for ${either(from.owners.map(ownerName))}.`,
          ]
    }),
    `Rebuilt ${tiers.join(' or ')} by ${attestations.attempts} attempts that agree, in ${count(builders.length, 'builder')} that it names, at most ${attestations.maxAge} days ago, from indexes of ${indexes.suites.join(', ')} that were at most ${indexes.maxAge} days old.`,
    attestations.cacheSeconds === 0
      ? 'A webhook finds all of it out anew for each question.'
      : `A webhook may keep what it found out for ${count(attestations.cacheSeconds, 'second')}.`,
    `Findings of the compose linter that deny: ${compose.deny.join(', ')}${compose.allow.length === 0 ? '' : `, but for ${count(compose.allow.length, 'value')} that it names`}.`,
    ...(Object.keys(apps).length === 0 ? ['No app may start: it lists none.'] : []),
    ...Object.entries(apps).map(([id, app]) => {
      const who = app.admitters.length === 0 ? 'nobody may admit others' : `${either(app.admitters)} may admit others`
      const where = app.devices === 'any' ? 'any machine' : count(app.devices.length, 'machine')
      return `App ${id} may run ${app.images.join(', ')} by ${count(app.composes.length, 'app-compose')} that it names, on ${where}; ${who}.`
    }),
    ...(Object.keys(osImages).length === 0 ? ['No guest image may start: it lists none.'] : []),
    ...Object.entries(osImages).map(([hash, from]) =>
      'pinned' in from
        ? `Guest image ${hash} is pinned, and not rebuilt: ${from.pinned}.`
        : `Guest image ${hash} has to be rebuilt from ${sources[from.source]?.repository ?? 'nowhere'}.`,
    ),
    tcb === null
      ? 'No platform may start an app: it takes none of their states.'
      : `The platform has to be ${either(tcb.statuses)}, and ${tcb.advisories.length === 0 ? 'no advisory may stand against it' : `none but ${count(tcb.advisories.length, 'advisory')} may stand against it`}.`,
  ]
}

function signerName(signer: PolicySigner): string {
  const who = 'key' in signer ? 'a key that it holds' : `${signer.name} as ${signer.issuer} says`
  // What is asked for where nothing is said: attestations/verify/policy.ts.
  const otherwise = 'key' in signer ? 0 : 1
  const { logEntries = otherwise, times = otherwise } = signer
  return `${who} (with ${count(logEntries, 'entry')} in transparency logs and ${count(times, 'time')} of others at least)`
}

/** No pattern admits what names nobody. */
function ownerName(pattern: string): string {
  return pattern === '**' ? 'anybody who is named' : pattern
}

function either(names: readonly string[]): string {
  return names.join(' or ')
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what.endsWith('y') ? `${what.slice(0, -1)}ies` : `${what}s`}`
}
