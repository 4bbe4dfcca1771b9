import { createRoute, z } from '@hono/zod-openapi'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { findShownBlob } from '../../app/service/read-records.ts'
import { bytesOf, noQuery, problems } from '../api-route.ts'
import { byteRange, bytesWithin } from '../byte-range.ts'
import { hasTag } from '../entity-tag.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { streamed } from '../streamed.ts'

const read = createRoute({
  method: 'get',
  path: '/v1/blobs/{sha256}',
  operationId: 'readBlob',
  tags: ['blobs'],
  summary: 'The bytes of a blob that a verification shows',
  description:
    'Reports, locks and what they name, logs, tree manifests, bundles, builders. The bytes are checked against the digest while they are sent: ' +
    'an answer that ends early is a damaged blob. One range of bytes may be asked for.',
  request: { params: z.strictObject({ sha256: Sha256 }), query: noQuery },
  responses: {
    200: bytesOf('application/octet-stream', 'All bytes.'),
    206: bytesOf('application/octet-stream', 'The range that was asked for.'),
    304: { description: 'As it was: a digest has the same bytes for ever.' },
    ...problems('blob-unknown', 'range-unsatisfiable'),
  },
})

export function blobs(app: HttpApp, ports: HttpPorts): void {
  app.openapi(read, async (c) => {
    const { sha256 } = c.req.valid('param')
    const { size } = await findShownBlob(ports, sha256)
    const tag = `"${sha256}"`
    c.header('ETag', tag)
    c.header('Cache-Control', 'public, max-age=31536000, immutable')
    if (hasTag(c.req.header('if-none-match'), tag)) return c.body(null, 304)
    c.header('Content-Disposition', `attachment; filename="sha256-${sha256}"`)
    c.header('Content-Type', 'application/octet-stream')
    c.header('Accept-Ranges', 'bytes')
    const condition = c.req.header('if-range')
    const range = condition === undefined || condition === tag ? byteRange(c.req.header('range'), size) : null
    const all = await ports.blobs.open(sha256)
    if (range === null) {
      c.header('Content-Length', String(size))
      return c.body(streamed(c, ports, { content: all }), 200)
    }
    c.header('Content-Range', `bytes ${range.from}-${range.to}/${size}`)
    c.header('Content-Length', String(range.to - range.from + 1))
    return c.body(streamed(c, ports, { content: bytesWithin(all, range) }), 206)
  })
}
