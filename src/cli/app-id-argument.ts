import { Failure } from '../../verifier/model/failure.ts'

/** Id of an app, in small letters without 0x. */
export function appIdOf(value: string): string {
  const id = value.toLowerCase().replace(/^0x/, '')
  if (/^[0-9a-f]{40}$/.test(id)) return id
  throw new Failure({ code: 'app-id-malformed', message: 'it is no id of an app', hint: 'give its 40 hexadecimal digits' })
}
