import { defineConfig } from 'vitest/config'

const code = ['action', 'verifier', 'attestations', 'src', 'tools', 'mkosi']
/** Docker tests with an engine or file systems of their own, whose builds take one core most of the time. */
const separate = ['test/crash.docker.test.ts', 'test/surroundings.docker.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: code.map((dir) => `${dir}/**/*.test.{ts,tsx}`),
          exclude: ['**/node_modules/**', '**/*.{docker,interop,lab,store}.test.ts'],
          // Far above what any of them takes: machines that also build are slow at times.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          // Against programs that others made (tools/bootstrap.sh fetches them).
          name: 'interop',
          include: ['{attestations,src,test}/**/*.interop.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          // On the embedded database and on a PostgreSQL server, which the suite starts and ends.
          name: 'store',
          include: ['{src,test}/**/*.store.test.ts'],
          globalSetup: ['test/postgres-server.ts'],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          // Against real Sigstore servers, which tools/sigstore-lab.ts builds; one stack of them at a time.
          name: 'lab',
          include: ['test/**/*.lab.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'docker',
          include: ['{verifier,src,mkosi,test}/**/*.docker.test.ts'],
          globalSetup: ['test/postgres-server.ts'],
          exclude: ['**/node_modules/**', ...separate],
          // Builds share two cores and the engine: one file at a time keeps each within its limit.
          fileParallelism: false,
          // For files whose tests say that they may run side by side.
          maxConcurrency: 2,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'docker-pairs',
          include: separate,
          maxWorkers: 2,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'house',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.{docker,interop,lab,store}.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
