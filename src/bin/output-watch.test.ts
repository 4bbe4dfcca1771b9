import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { watchOutput } from './output-watch.ts'

function fakeProcess() {
  const told: string[] = []
  const stream = () => Object.assign(new EventEmitter(), { write: (text: string) => told.push(text) })
  return { told, stdout: stream(), stderr: stream(), exitCode: 0 }
}

const failing = (code: string): Error => Object.assign(new Error(code), { code })

describe('output', () => {
  it('that nobody reads any more is no failure', () => {
    const fake = fakeProcess()
    const { lost } = watchOutput(fake)
    fake.stdout.emit('error', failing('EPIPE'))
    fake.stderr.emit('error', failing('EPIPE'))
    expect([lost(), fake.exitCode, fake.told]).toEqual([false, 0, []])
  })

  it.each(['ENOSPC', 'EIO', 'EBADF'])('lost to %s is told once, and the exit code says that there is no answer', (code) => {
    const fake = fakeProcess()
    const { lost } = watchOutput(fake)
    fake.stdout.emit('error', failing(code))
    fake.stdout.emit('error', failing(code))
    expect([lost(), fake.exitCode]).toEqual([true, 3])
    expect(fake.told).toEqual([expect.stringContaining('output-unwritten')])
  })

  it('of progress that is lost to a full disk changes nothing', () => {
    const fake = fakeProcess()
    const { lost } = watchOutput(fake)
    fake.stderr.emit('error', failing('ENOSPC'))
    expect([lost(), fake.exitCode, fake.told]).toEqual([false, 0, []])
  })
})
