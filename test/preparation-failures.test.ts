import { expect, it } from 'vitest'
import { preparationTrouble } from '../src/app/service/preparation-failures.ts'
import { errorCodes } from '../tools/error-codes.ts'
import { Failure } from '../verifier/model/failure.ts'
import { sourceFailure } from '../verifier/source/failures.ts'

const failureOf = (code: string): Failure => new Failure({ code, message: '', hint: '' })

it('knows of every failure that a source can end in whether it may pass', () => {
  const codes = errorCodes(['verifier/source', 'verifier/tar']).map(({ code }) => code)
  expect(codes.length).toBeGreaterThan(60)
  expect(codes.filter((code) => preparationTrouble(failureOf(code)) === undefined)).toEqual([])
})

it('waits out all that the source itself calls worth another try', () => {
  for (const code of ['source-unreachable', 'source-host-unknown', 'source-time-limit', 'source-changed'] as const) {
    expect(sourceFailure(code).retryable).toBe(true)
    expect(preparationTrouble(failureOf(code))).toBe('may-pass')
  }
})

it('says nothing of what nobody foresaw', () => {
  for (const code of ['database-unreachable', 'constructor', 'toString', '']) expect(preparationTrouble(failureOf(code))).toBeUndefined()
})
