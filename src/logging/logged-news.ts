import type { Logger } from 'pino'
import type { WorkerNews } from '../worker/worker-news.ts'

/** Writes down what a worker tells of itself; with `debug` also what happens in its attempts, but for lines of their logs. */
export function loggedNews(log: Logger): (news: WorkerNews) => void {
  return (news) => {
    switch (news.kind) {
      case 'begun':
        return log.info(attemptOf(news, { mode: news.mode }), 'attempt begun')
      case 'event':
        if (news.event.kind === 'stage-started') log.debug(attemptOf(news, { stage: news.event.stage }), 'stage started')
        if (news.event.kind === 'stage-ended') log.debug(attemptOf(news, { stage: news.event.stage, ms: news.event.ms }), 'stage ended')
        return
      case 'reported':
        if (news.refused === null) log.info(attemptOf(news, { outcome: news.outcome, state: news.state }), 'attempt reported')
        else
          log.error(
            attemptOf(news, { outcome: news.outcome, state: news.state, code: news.refused }),
            'outcome not taken by the coordinator',
          )
        return
      case 'let-go':
        return log.warn(attemptOf(news, { code: news.code }), 'attempt let go of: it is not this worker’s any more')
      case 'dropped':
        return log.error(attemptOf(news, { code: news.code }), 'report dropped: it was not taken')
      case 'holding':
        return log.warn({ code: news.code, reason: news.message }, 'nothing is begun for now')
      case 'going-on':
        return log.info('attempts are begun again')
      case 'draining':
        return log.info({ running: news.running, graceSeconds: news.graceMs / 1000 }, 'worker stopping')
    }
  }
}

type OfAttempt = Extract<WorkerNews, { attempt: string }>

function attemptOf({ verification, attempt, number }: OfAttempt, more: Readonly<Record<string, string | number>>) {
  return { verification, attempt, number, ...more }
}
