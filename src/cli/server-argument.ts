import { Failure } from '../../verifier/model/failure.ts'
import { parseServerAddress, SERVER_FORM } from '../config/server-address.ts'

/** Address of a service, from the command line. */
export function parseServer(value: string): URL {
  const url = parseServerAddress(value)
  if (url !== undefined) return url
  throw new Failure({ code: 'server-malformed', message: 'not the address of a service', hint: `give ${SERVER_FORM}` })
}
