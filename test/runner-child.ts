import { runJobs } from '../src/app/service/job-runner.ts'
import { StoreRoom } from '../src/store-room.ts'
import { Secret } from '../verifier/model/secret.ts'
import { IDLE_TRADES, noting } from './noting-runner.ts'

/**
 * `node test/runner-child.ts URL FOLDER PHASE`: does one job and kills itself in that phase: `taken`, before it is worked on; `worked`, when
 * its result is not written yet; `writing`, within the transaction that writes it; `written`, once that is there.
 */
const [url = '', folder = '', phase = ''] = process.argv.slice(2)

function die(at: string): void {
  if (at === phase) process.kill(process.pid, 'SIGKILL')
}

await using store = await StoreRoom.open({
  url: url === '' ? null : new Secret(url),
  folder,
  superviseSeconds: null,
  onTrouble: (failure) => {
    throw failure
  },
})
const { unitOfWork, notices } = store
let wrote = false
await runJobs(
  {
    notices,
    now: () => new Date(),
    unitOfWork: {
      run: async (work) => {
        const result = await unitOfWork.run(work)
        if (wrote) die('written')
        return result
      },
    },
    events: {
      jobFailed: ({ error }) => {
        throw error
      },
      trouble: ({ error }) => {
        throw error
      },
    },
  },
  {
    ...IDLE_TRADES,
    preparation: {
      atOnce: 1,
      work: async (job) => {
        die('taken')
        const note = noting(job.data.verificationId)
        die('worked')
        return {
          end: 'done',
          write: async (unit) => {
            await note(unit)
            wrote = true
            die('writing')
          },
        }
      },
    },
  },
  new AbortController().signal,
)
