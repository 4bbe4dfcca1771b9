import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { answers } from './docker-engine.ts'

let folder: string
let status = 200
const server = http.createServer((request, response) => {
  response.statusCode = request.url === '/_ping' ? status : 404
  response.end()
})

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-engine-'))
  await new Promise<void>((resolve) => server.listen(path.join(folder, 'socket'), resolve))
})

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})

it('knows an engine by its answer to a ping', async () => {
  status = 200
  expect(await answers(`unix://${folder}/socket`)).toBe(true)
})

it('does not take an engine that is coming up for one that answers', async () => {
  status = 503
  expect(await answers(`unix://${folder}/socket`)).toBe(false)
})

it('says no where nothing listens, and to addresses that it cannot ask', async () => {
  expect(await answers(`unix://${folder}/absent`)).toBe(false)
  expect(await answers('ssh://host')).toBe(false)
  expect(await answers('tcp://')).toBe(false)
})
