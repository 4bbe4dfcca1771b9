import { Failure } from '../../verifier/model/failure.ts'
import type { UseCases } from './use-cases.ts'

export function openUseCases(): Promise<UseCases> {
  return Promise.reject(new Failure({ code: 'internal', message: 'this command is not wired yet', hint: 'use an other command' }))
}
