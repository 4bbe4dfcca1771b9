import type { ServerResponse } from 'node:http'

/**
 * How an answer goes wrong. `refused`: 400 with an error, and nothing done. `broken`: 500, nothing done. `lost`: done, and no answer. `half`: done,
 * and half of an answer. `late`: done, and the connection stays silent. `never`: not done, and silent. `huge`: an answer without end. `garbage`:
 * 200 with what is no JSON. `twice`: JSON with a key twice.
 */
export type WrongAnswer = 'refused' | 'broken' | 'lost' | 'half' | 'late' | 'never' | 'huge' | 'garbage' | 'twice'

/** Whether what was asked for is done all the same. */
export function isDone(wrong: WrongAnswer): boolean {
  return wrong === 'lost' || wrong === 'half' || wrong === 'late'
}

/** Answers wrongly, on the connection itself. */
export function answerWrongly(wrong: WrongAnswer, response: ServerResponse, error = 'something of theirs'): void {
  const json = { 'content-type': 'application/json' }
  if (wrong === 'refused' || wrong === 'broken') response.writeHead(wrong === 'refused' ? 400 : 500, json).end(JSON.stringify({ error }))
  else if (wrong === 'garbage') response.writeHead(200, json).end('<html>')
  else if (wrong === 'twice') response.writeHead(200, json).end('{"id":"one","id":"two","found":true,"found":false,"hash":"a","hash":"b"}')
  else if (wrong === 'lost') response.destroy()
  else if (wrong === 'half') response.writeHead(200, { ...json, 'content-length': '1000' }).write('{"id":"', () => response.destroy())
  else if (wrong === 'huge') flood(response.writeHead(200, json))
}

function flood(response: ServerResponse): void {
  const part = Buffer.alloc(1 << 20, ' ')
  const more = (): void => {
    if (!response.destroyed) response.write(part, more)
  }
  more()
}
