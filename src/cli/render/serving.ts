import { withPrefix } from '../../../verifier/model/digest.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { ServingDocument } from '../../app/service/serving-document.ts'
import { paint } from './paint.ts'

/** What runs now, what to open, and how to get a token. */
export function servingLines(facts: ServingDocument, options: { readonly color: boolean }): string[] {
  const brushes = paint(options.color)
  const { url, version, database, home, signer, worker, noWorker } = facts
  const builds =
    worker === null
      ? [
          brushes.unsure('none in this process'),
          ...(noWorker === null ? [] : [`${visible(noWorker.message)} (${noWorker.code})`, visible(noWorker.hint)]),
        ]
      : [`in this process, ${visible(worker.architecture)}, ${worker.slots} at once, for sources of those who have an API token`]
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['open', [`${url}docs`, `${url}v1/verifications`]],
    ['database', [database === 'embedded' ? `embedded, in ${visible(home)}` : 'PostgreSQL']],
    [
      'signs',
      signer.kind === 'sigstore'
        ? ['through Sigstore']
        : [
            `with the key ${signer.fingerprint === null ? '' : withPrefix(signer.fingerprint)}`,
            'bitwitness key show prints it, for those who verify',
          ],
    ],
    ['worker', [...builds, 'on another host: bitwitness worker key there, then bitwitness worker add NAME KEY here']],
    ['policies', policyLines(facts.policies)],
    ['targets', targetLines(facts)],
    [
      'tokens',
      [
        'bitwitness token create NAME, with the settings that this was started with, such as BITWITNESS_HOME',
        `then, wherever it is: BITWITNESS_TOKEN=… bitwitness submit SOURCE --claim sha256:… --server ${url}`,
      ],
    ],
  ]
  return [
    `${brushes.good('Bitwitness')} ${visible(version)} listens on ${url}`,
    '',
    ...rows.flatMap(([name, [first = '', ...more]]) => [
      `  ${name.padEnd(8)}  ${first}`,
      ...more.map((line) => `  ${' '.repeat(8)}  ${line}`),
    ]),
    '',
    'Ctrl-C stops it. What was accepted is kept, and goes on at the next start.',
  ]
}

function policyLines(policies: ServingDocument['policies']): readonly string[] {
  if (policies === null) return ['none: BITWITNESS_POLICIES names no folder']
  if (policies.length === 0) return ['none in the folder yet']
  const followed = policies.filter((one) => one.followed).map(({ name }) => visible(name))
  const broken = policies.filter((one) => !one.followed)
  return [
    ...(followed.length === 0 ? [] : [followed.join(', ')]),
    ...broken.map(({ name }) => `${visible(name)}: cannot be followed, and lets nobody in; bitwitness policy check says why`),
  ]
}

function targetLines({ policies, targets }: ServingDocument): readonly string[] {
  if (targets.length === 0) return ['none']
  const known = new Map((policies ?? []).map(({ name, followed }) => [name, followed]))
  const shown = (name: string): string => {
    const followed = known.get(name)
    return `${visible(name)}${followed === undefined ? ' (not there)' : followed ? '' : ' (cannot be followed)'}`
  }
  return targets.map((target) => `${visible(target.name)} (${target.kind}), by ${target.policies.map(shown).join(', ')}`)
}
