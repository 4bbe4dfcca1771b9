'use strict'

const { execFile } = require('node:child_process')
const express = require('express')

const PORT = 3000
const GRACE_MS = 5000

const app = express()
app.disable('x-powered-by')

app.get('/', (_request, response) => {
  response.json({
    message: 'Deterministic build practice app',
    timestamp: new Date().toISOString(),
    nodeVersion: process.version,
  })
})

// Runs curl each time, so that the answer says what is true now and not what was true at the start.
app.get('/health', (_request, response) => {
  execFile('/usr/bin/curl', ['--version'], { timeout: 5000, maxBuffer: 65536 }, (error, stdout) => {
    if (error) response.status(503).json({ status: 'unhealthy', curl: null })
    else response.json({ status: 'healthy', curl: stdout.split('\n', 1)[0] })
  })
})

const server = app.listen(PORT, '0.0.0.0', () => {
  process.stdout.write(`listening on port ${PORT}\n`)
})

// As process 1 of a container Node has no default handlers: without these a stop would wait for SIGKILL.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref()
  })
}
