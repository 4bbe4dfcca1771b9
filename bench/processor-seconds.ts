import { readFile } from 'node:fs/promises'

/** Seconds of processor time that a process has had (proc(5)); 0 for one that is gone. */
export async function processorSeconds(pid: number): Promise<number> {
  const [user, system] = [11, 12].map(async (at) => Number((await statOf(pid))[at] ?? 0))
  return (((await user) ?? 0) + ((await system) ?? 0)) / 100
}

/** Bytes of a process that are in memory now. */
export async function bytesInMemory(pid: number): Promise<number> {
  return Number((await statOf(pid))[21] ?? 0) * 4096
}

/** From the third field on: the second, a name, may hold blanks. */
async function statOf(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return text.replace(/^.*\) /s, '').split(' ')
}
