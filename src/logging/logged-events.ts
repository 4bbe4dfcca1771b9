import type { Logger } from 'pino'
import { currentRequest } from '../app/service/request-scope.ts'
import type { ServiceEvents } from '../app/service/service-events.ts'
import { shownCode, shownError } from './shown-error.ts'

/** Asked so often that a line for each would hide the others. */
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/**
 * Writes the events of the service into a log. A message is one of a few fixed texts, and each fact is named here: what is not, is not
 * logged. `debug`: errors show their own text.
 */
export function loggedEvents(logger: Logger, { debug }: { readonly debug: boolean }): ServiceEvents {
  const shown = (error: unknown) => shownError(error, debug)
  const say = (level: 'debug' | 'info' | 'warn' | 'error', message: string, facts: object): void => {
    const request = currentRequest()
    logger[level](request === null ? facts : { request, ...facts }, message)
  }
  return {
    started: ({ database, worker }) => say('info', 'service started', { database, worker }),
    stopping: ({ graceSeconds }) => say('info', 'service stopping', { graceSeconds }),
    stopped: ({ clean }) => say('info', 'service stopped', { clean }),
    submissionAccepted: ({ verification, owner, trusted, joined }) =>
      say('info', joined ? 'submission joined' : 'submission accepted', { verification, owner, trusted }),
    submissionPrepared: ({ verification, architecture, locked }) =>
      say('info', 'submission prepared', { verification, architecture, locked }),
    submissionReused: ({ verification, from }) => say('info', 'submission answered by an earlier one', { verification, from }),
    verificationCancelled: ({ verification, owner }) => say('info', 'verification cancelled', { verification, owner }),
    attemptLeased: ({ verification, attempt, number, mode, worker, waitedSeconds }) =>
      say('info', 'attempt leased', { verification, attempt, number, mode, worker, waitedSeconds }),
    leaseLost: ({ verification, attempt, number, worker, givenUp }) =>
      say('warn', 'lease lost', { verification, attempt, number, worker, givenUp }),
    attemptEnded: ({ verification, attempt, number, mode, worker, outcome, state, stages }) =>
      say(outcome === 'infrastructure' ? 'warn' : 'info', 'attempt ended', {
        verification,
        attempt,
        number,
        mode,
        worker,
        outcome,
        state,
        seconds: Math.round(stages.reduce((sum, { ms }) => sum + ms, 0)) / 1000,
      }),
    reportRefused: ({ attempt, worker, error }) =>
      say('warn', 'report refused', { attempt: shownId(attempt), worker, error: shown(error) }),
    workerSeen: ({ worker, place }) => say('debug', 'worker seen', { worker, place }),
    verdictGiven: ({ verification, verdict, tier, seconds }) => say('info', 'verdict given', { verification, verdict, tier, seconds }),
    signed: ({ verification, predicateType, attestation, bundle }) =>
      say('info', 'statement signed', { verification, predicateType, attestation, bundle }),
    signingFailed: ({ verification, predicateType, error, tries, nextAt }) =>
      say('warn', 'signing failed', { verification, predicateType, error: shown(error), tries, nextAt }),
    summarySigned: ({ policy, app, result, attestation, bundle }) =>
      say('info', 'summary signed', { policy, app, result, attestation, bundle }),
    summaryFailed: ({ policy, app, error, tries, nextAt }) =>
      say('warn', 'signing a summary failed', { policy, app, error: shown(error), tries, nextAt }),
    callbackSent: ({ verification, tries }) => say('info', 'callback sent', { verification, tries }),
    callbackFailed: ({ verification, error, tries, nextAt }) =>
      say('warn', 'callback failed', { verification, error: shown(error), tries, nextAt }),
    jobFailed: ({ kind, job, error, tries, nextAt }) => say('warn', 'job failed', { kind, job, error: shown(error), tries, nextAt }),
    housekept: ({ what, count }) => say(count > 0 ? 'info' : 'debug', 'housekeeping done', { what, count }),
    requestAnswered: ({ method, route, status, ms, code }) =>
      say(levelOf({ method, route, status }), 'request answered', {
        method,
        route,
        status,
        ms: Math.round(ms),
        ...(code === null ? {} : { code: shownCode(code) }),
      }),
    requestFailed: ({ error }) => say('error', 'request failed', { error: shown(error) }),
    guestAnswered: ({ policy, asked, allowed }) => say('info', 'guest answered', { policy, asked, allowed }),
    deploymentOrdered: ({ deployment, owner, state, target, policy }) =>
      say('info', state === 'announced' ? 'deployment announced' : 'deployment ordered', { deployment, owner, target, policy }),
    deploymentAdvanced: ({ deployment, target, state, code }) =>
      say(state === 'denied' || state === 'failed' ? 'warn' : 'info', 'deployment advanced', {
        deployment,
        target,
        state,
        code: code === null ? null : shownCode(code),
      }),
    observed: ({ deployment, verdict, code, isNew }) =>
      say(!isNew ? 'debug' : verdict === 'failed' || verdict === null ? 'warn' : 'info', 'deployment observed', {
        deployment,
        verdict,
        code: code === null ? null : shownCode(code),
        isNew,
      }),
    jobsRepaired: ({ count }) => say('warn', 'jobs repaired', { count }),
    identityRefused: ({ why }) => say('info', 'identity token refused', { why: shownCode(why) }),
    workerBegun: ({ architecture }) => say('info', 'worker of this process begun', { architecture: shownCode(architecture) }),
    workerHolding: ({ code }) => say('warn', 'worker begins nothing for now', { code: shownCode(code) }),
    trouble: ({ where, error }) => say('error', 'trouble', { where, error: shown(error) }),
  }
}

/** A worker names the attempt that it reports for. */
function shownId(id: string): string {
  return /^[0-9a-f-]{36}$/.test(id) ? id : 'malformed'
}

/** Readers, probes and the beats of workers are many, and of interest when they fail. */
function levelOf({ method, route, status }: { method: string; route: string; status: number }): 'debug' | 'info' | 'warn' {
  if (PROBES.has(route)) return 'debug'
  if (status >= 500) return 'warn'
  return status < 400 && (method === 'GET' || method === 'HEAD' || route.startsWith('/v1/worker/')) ? 'debug' : 'info'
}
