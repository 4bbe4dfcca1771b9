import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { abortOnSignals } from './signals.ts'

function fakeProcess() {
  const killed: [number, unknown][] = []
  const said: string[] = []
  const emitter = new EventEmitter()
  const fake = Object.assign(emitter, {
    pid: 42,
    stderr: { write: (text: string) => said.push(text) > 0 },
    kill: (pid: number, signal: unknown) => killed.push([pid, signal]) > 0,
  })
  return {
    fake: fake as unknown as Parameters<typeof abortOnSignals>[0],
    raise: (name: string) => emitter.emit(name, name),
    killed,
    said,
    emitter,
  }
}

it('asks to stop at the first signal and ends the process by the second', () => {
  const { fake, raise, killed, emitter } = fakeProcess()
  const { signal } = abortOnSignals(fake)
  expect(signal.aborted).toBe(false)
  raise('SIGINT')
  expect([signal.aborted, killed]).toEqual([true, []])
  raise('SIGTERM')
  expect(killed).toEqual([[42, 'SIGTERM']])
  expect(emitter.listenerCount('SIGINT') + emitter.listenerCount('SIGTERM')).toBe(0)
})

it('leaves the process as it was when it is released', () => {
  const { fake, emitter } = fakeProcess()
  abortOnSignals(fake).release()
  expect(emitter.listenerCount('SIGINT') + emitter.listenerCount('SIGTERM')).toBe(0)
})

it.each([
  [{}, 1],
  [{ quiet: true }, 0],
])('says %j that it stops', (o, lines) => {
  const { fake, raise, said } = fakeProcess()
  abortOnSignals(fake, o).release()
  const { signal } = abortOnSignals(fake, o)
  raise('SIGTERM')
  expect([signal.aborted, said.length]).toEqual([true, lines])
})
