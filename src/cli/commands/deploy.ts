import { parseSha256, type Sha256 } from '../../../verifier/model/digest.ts'
import type { ImageReference } from '../../../verifier/model/image-reference.ts'
import type { VmmPlace } from '../../config/vmm-address.ts'
import { appIdOf } from '../app-id-argument.ts'
import { command, fileFlag, jsonFlag } from '../command.ts'
import { type LiveFlag, parseCount, parseHealth, parseLive, parseTarget, parseVmm, type TargetKind } from '../deploy/deploy-arguments.ts'
import { imageArgument } from '../image-argument.ts'
import { parseServer } from '../server-argument.ts'

export type DeployFlags = {
  readonly json: boolean
  readonly verbose: boolean
  readonly to?: ImageReference
  readonly artifact?: string
  readonly source?: string
  readonly server?: URL
  readonly appCompose?: string
  readonly policy: string
  readonly bundle?: readonly string[]
  readonly trustedRoot?: string
  readonly target: TargetKind
  readonly vmm?: VmmPlace
  readonly nodeId?: number
  readonly region?: string
  readonly kms?: string
  readonly instanceType?: string
  readonly image?: string
  readonly osImageHash?: Sha256
  readonly vcpu?: number
  readonly memory?: number
  readonly disk?: number
  readonly name?: string
  readonly appId?: string
  readonly port?: LiveFlag
  readonly health?: string
  readonly envFile?: string
  readonly startUnpredictedWithoutSecrets: boolean
  readonly noWait: boolean
}

const text = (value: string): string => value
const word = (brief: string, placeholder: string) => ({ kind: 'parsed', parse: text, brief, optional: true, placeholder }) as const
const count = (brief: string, placeholder: string) => ({ kind: 'parsed', parse: parseCount, brief, optional: true, placeholder }) as const

export const deploy = command<DeployFlags, [string?]>({
  brief: 'Push, have rebuilt, ask the gate, and only then start: on dstack’s VMM, or on Phala Cloud',
  fullDescription:
    'From a folder that build wrote: pushes the image, submits it, waits for the verdict, asks the policy, starts what it allows, follows it.\n' +
    'From --app-compose alone it begins at the policy. How far it is stands in deploy-state.json beside the manifest, or beside the\n' +
    'app-compose: the same command goes on there, however the one before it ended.',
  parameters: {
    flags: {
      to: { ...imageArgument, kind: 'parsed', optional: true, brief: 'Where to push the image of the folder: HOST/PATH[:TAG]' },
      artifact: word('Artifact of the build, where it has several images', 'NAME'),
      source: word('Source of the build as submit takes it, where the manifest does not name a repository', 'SOURCE'),
      server: {
        kind: 'parsed',
        parse: parseServer,
        brief: 'The service that rebuilds, and admits the app-compose, instead of the one of the settings',
        optional: true,
        placeholder: 'URL',
      },
      appCompose: fileFlag('app-compose.json to deploy, byte for byte, in place of the one that the push writes'),
      policy: { kind: 'parsed', parse: text, brief: 'The policy that decides', placeholder: 'POLICY' },
      bundle: {
        kind: 'parsed',
        parse: text,
        variadic: true,
        optional: true,
        brief: 'A file of bundles, or a proof, in place of those of the service and those beside the images',
        placeholder: 'FILE',
      },
      trustedRoot: fileFlag('Trusted root of the Sigstore that signed, in place of the public one'),
      target: {
        kind: 'parsed',
        parse: parseTarget,
        brief: 'Where to: phala-cloud or dstack-vmm',
        default: 'phala-cloud',
        placeholder: 'TARGET',
      },
      vmm: {
        kind: 'parsed',
        parse: parseVmm,
        brief: 'dstack-vmm: its address, a URL or unix:SOCKET',
        optional: true,
        placeholder: 'URL',
      },
      nodeId: count('Phala Cloud: the node', 'N'),
      region: word('Phala Cloud: the region', 'NAME'),
      kms: word('Phala Cloud: the KMS', 'NAME'),
      instanceType: word('Phala Cloud: the instance type', 'NAME'),
      image: word('Name of the guest image', 'NAME'),
      osImageHash: {
        kind: 'parsed',
        parse: parseSha256,
        brief: 'dstack-vmm: os_image_hash of that guest image, which the VMM does not tell',
        optional: true,
        placeholder: 'sha256:…',
      },
      vcpu: count('Virtual processors', 'N'),
      memory: count('Memory in MiB', 'MIB'),
      disk: count('Disk in GiB', 'GIB'),
      name: word('Name of the guest, 5 to 63 small letters, digits and dashes; else that of the app-compose', 'NAME'),
      appId: {
        kind: 'parsed',
        parse: appIdOf,
        optional: true,
        brief: 'Id of the app; else the one that the target gives, or that follows from the app-compose',
        placeholder: 'HEX',
      },
      port: {
        kind: 'parsed',
        parse: parseLive,
        optional: true,
        brief: 'Port of the app in the guest; with s it ends TLS itself, with g it speaks gRPC',
        placeholder: 'PORT[s|g]',
      },
      health: {
        kind: 'parsed',
        parse: parseHealth,
        optional: true,
        brief: 'Path that is asked beside / once it runs',
        placeholder: 'PATH',
      },
      envFile: fileFlag('Environment of the app, NAME=VALUE a line; encrypted for the app, and kept nowhere'),
      startUnpredictedWithoutSecrets: {
        kind: 'boolean',
        brief: 'Start even bytes that nobody has seen, without environment; stop it if what it attests is denied',
        default: false,
        withNegated: false,
      },
      noWait: {
        kind: 'boolean',
        brief: 'Do not wait for the verdict, nor until it runs: the same command without this goes on',
        default: false,
        withNegated: false,
      },
      verbose: { kind: 'boolean', brief: 'Show the log of the rebuild on stderr', default: false, withNegated: false },
      ...jsonFlag,
    },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: text, brief: 'Folder that build wrote', placeholder: 'FOLDER', optional: true }],
    },
  },
  async run(io, flags, folder) {
    const { runDeploy } = await import('../deploy/run-deploy.ts')
    return await runDeploy(io, flags, folder ?? null)
  },
})
