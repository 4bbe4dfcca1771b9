import { type IncomingMessage, request } from 'node:http'
import path from 'node:path'
import { Failure } from '../../verifier/model/failure.ts'
import type { Operator } from '../app/service/operator.ts'
import { mismatch } from './control-app.ts'
import { type Answer, type Asked, MAX_ANSWER, OPERATIONS, type Operation, SOCKET_NAME, Trouble } from './control-protocol.ts'

const TIMEOUT_MS = 60_000

/**
 * The operator's commands, done by the server that has this home open. Its failures come through as they are; where there is none it fails
 * with `control-absent`.
 */
export function controlClient(home: string): Operator {
  const socket = path.join(home, SOCKET_NAME)
  const ask = async <O extends Operation>(operation: O, asked: Asked<O>): Promise<Answer<O>> => {
    const { status, body } = await exchange(socket, operation, JSON.stringify(asked))
    if (status === 200) {
      const answer = OPERATIONS[operation].answer.safeParse(body)
      if (answer.success) return answer.data as Answer<O>
    }
    const trouble = Trouble.safeParse(body)
    throw trouble.success ? new Failure(trouble.data) : mismatch()
  }
  return {
    createToken: (asked) => ask('token-create', asked),
    tokens: (cursor) => ask('token-list', { cursor }),
    revokeToken: (id) => ask('token-revoke', { id }),
    addWorker: (asked) => ask('worker-add', asked),
    workers: (cursor) => ask('worker-list', { cursor }),
    revokeWorker: (name) => ask('worker-revoke', { name }),
  }
}

async function exchange(socketPath: string, operation: Operation, asked: string): Promise<{ status: number; body: unknown }> {
  try {
    const answer = await new Promise<IncomingMessage>((settle, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(asked), host: 'control' }
      const outgoing = request({ socketPath, path: `/v1/${operation}`, method: 'POST', headers, agent: false, timeout: TIMEOUT_MS }, settle)
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
      outgoing.on('error', reject)
      outgoing.end(asked)
    })
    const parts: Buffer[] = []
    let size = 0
    for await (const part of answer as AsyncIterable<Buffer>) {
      size += part.length
      if (size > MAX_ANSWER) throw mismatch()
      parts.push(part)
    }
    return { status: answer.statusCode ?? 0, body: parsed(Buffer.concat(parts).toString('utf8')) }
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure({
      code: 'control-absent',
      message: 'no server of this home answers',
      hint: 'start `serve`, or wait until it has started; if another program holds the database, stop that',
      retryable: true,
      cause,
    })
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
