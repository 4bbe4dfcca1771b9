import os from 'node:os'
import { lintCompose } from '../src/app/compose/lint-compose.ts'
import { spread } from './spread.ts'

/** How long the linter takes for an app-compose of 200 KB, all of it services: `node bench/compose-lint.ts`. */
const services = Array.from(
  { length: 1500 },
  (_, number) => `  s${number}:\n    image: "app@sha256:${'ab'.repeat(32)}"\n    environment:\n      - N=${number}\n`,
)
const compose = `services:\n${services.join('')}`
const bytes = Buffer.from(JSON.stringify({ manifest_version: 2, name: 'app', runner: 'docker-compose', docker_compose_file: compose }))
const times: number[] = []
for (let round = 0; round < 60; round += 1) {
  const began = performance.now()
  lintCompose(bytes)
  // The first ones are the compiler's.
  if (round >= 10) times.push(performance.now() - began)
}
const machine = `${os.availableParallelism()} processors, load ${os.loadavg()[0]?.toFixed(1)}, node ${process.version}`
console.log(`compose lint of ${bytes.length} bytes; ${machine}; ms: least, median, p99: ${spread(times)}`)
