import { expect, it } from 'vitest'
import { parseClaim } from './claim.ts'

const hex = 'ab'.repeat(32)

it.each([
  [`sha256:${hex}`, 'file'],
  [hex, 'file'],
  [`file=sha256:${hex}`, 'file'],
  [`oci-manifest=sha256:${hex}`, 'oci-manifest'],
  [`dstack-os-image=sha256:${hex}`, 'dstack-os-image'],
])('reads %s', (text, kind) => {
  expect(parseClaim(text)).toEqual({ kind, name: null, sha256: hex, location: null })
})

it.each([
  [`image=sha256:${hex}`, 'claim-kind-unknown'],
  [`=sha256:${hex}`, 'claim-kind-unknown'],
  [`File=sha256:${hex}`, 'claim-kind-unknown'],
  ['file=', 'digest-malformed'],
  [`file=file=${hex}`, 'digest-malformed'],
  ['', 'digest-malformed'],
])('refuses %j with %s', (text, code) => {
  expect(() => parseClaim(text)).toThrow(expect.objectContaining({ code }))
})
