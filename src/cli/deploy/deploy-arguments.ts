import { Failure } from '../../../verifier/model/failure.ts'
import { DeployOrder } from '../../app/deploy/deployment.ts'
import { parseVmmAddress, VMM_FORM, type VmmPlace } from '../../config/vmm-address.ts'

export type LiveFlag = Pick<NonNullable<DeployOrder['live']>, 'port' | 'suffix'>

const Live = DeployOrder.shape.live.unwrap().unwrap()

export type TargetKind = 'phala-cloud' | 'dstack-vmm'

export function parseTarget(value: string): TargetKind {
  if (value === 'phala-cloud' || value === 'dstack-vmm') return value
  throw new Failure({ code: 'deploy-target-unknown', message: 'there is no such target', hint: 'give phala-cloud or dstack-vmm' })
}

export function parseVmm(value: string): VmmPlace {
  const place = parseVmmAddress(value)
  if (place !== undefined) return place
  throw new Failure({ code: 'vmm-address-malformed', message: 'not the address of a VMM', hint: `give ${VMM_FORM}` })
}

/** `8080`, `8443s`, `50051g`. */
export function parseLive(value: string): LiveFlag {
  const [, digits, suffix] = /^([1-9]\d{0,4})([sg]?)$/.exec(value) ?? []
  const read = Live.safeParse({ port: Number(digits), suffix })
  if (read.success) return read.data
  throw new Failure({
    code: 'deploy-port-malformed',
    message: 'not a port of a gateway’s URL',
    hint: 'give a number from 1 to 65535, with s or g behind it where the app ends TLS itself or speaks gRPC',
  })
}

export function parseHealth(value: string): string {
  if (Live.shape.healthPath.safeParse(value).success) return value
  throw new Failure({ code: 'deploy-health-malformed', message: 'not a path', hint: 'give a path that begins with a slash' })
}

export function parseCount(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value)
  throw new Failure({ code: 'deploy-number-malformed', message: 'not a whole number above zero', hint: 'give digits alone' })
}
