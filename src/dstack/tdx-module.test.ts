import { expect, it } from 'vitest'
import { withModule } from './tdx-module.ts'

const zeros = (length: number): string => '00'.repeat(length)
const level = (isvsvn: number, tcbStatus: string, advisoryIDs: readonly string[] = []) => ({ tcb: { isvsvn }, tcbStatus, advisoryIDs })
const identity = (id: string, ...tcbLevels: readonly object[]) => ({
  id,
  mrsigner: zeros(48),
  attributes: zeros(8),
  attributesMask: 'FF'.repeat(8),
  tcbLevels,
})
const TCB_INFO = JSON.stringify({
  version: 3,
  tdxModuleIdentities: [
    identity('TDX_03', level(3, 'UpToDate')),
    identity('TDX_01', level(2, 'OutOfDate', ['INTEL-SA-00002']), level(7, 'UpToDate'), level(1, 'Revoked')),
  ],
})
const PLATFORM = { status: 'UpToDate', advisories: ['INTEL-SA-00001'] }
const moduleOf = (svn: number, version: number, change: object = {}) => ({
  teeTcbSvn: Buffer.from([svn, version, ...new Uint8Array(14)]),
  mrSignerSeam: Buffer.alloc(48),
  seamAttributes: Buffer.alloc(8),
  ...change,
})

it.each([
  ['an up-to-date module', moduleOf(7, 1), PLATFORM],
  ['a newer one', moduleOf(9, 1), PLATFORM],
  ['a module of the first ones, which the platform’s levels are of', moduleOf(0, 0), PLATFORM],
  ['an old module', moduleOf(6, 1), { status: 'OutOfDate', advisories: ['INTEL-SA-00001', 'INTEL-SA-00002'] }],
  ['a revoked one', moduleOf(1, 1), undefined],
  ['one that is older than all', moduleOf(0, 1), undefined],
  ['one of a version that nobody lists', moduleOf(9, 2), undefined],
  ['one that somebody else signed', moduleOf(7, 1, { mrSignerSeam: Buffer.alloc(48, 1) }), undefined],
  ['one with other attributes', moduleOf(7, 1, { seamAttributes: Buffer.alloc(8, 1) }), undefined],
] as const)('a platform with %s is what both come to', (_, module, tcb) => {
  expect(withModule(PLATFORM, module, TCB_INFO)).toEqual(tcb)
})

it.each([
  ['SWHardeningNeeded', 'OutOfDate'],
  ['ConfigurationNeeded', 'OutOfDateConfigurationNeeded'],
  ['ConfigurationAndSWHardeningNeeded', 'OutOfDateConfigurationNeeded'],
  ['OutOfDate', 'OutOfDate'],
])('a platform that is %s is %s with an old module', (status, both) => {
  expect(withModule({ status, advisories: [] }, moduleOf(3, 1), TCB_INFO)?.status).toBe(both)
})

it('nothing is known of a module where Intel lists none', () => {
  expect(withModule(PLATFORM, moduleOf(7, 1), '{}')).toBeUndefined()
})
