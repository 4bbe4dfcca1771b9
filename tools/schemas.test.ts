import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { publishedSchemas, schemaFolder, staleSchemas } from './schemas.ts'

it('schemas/ holds the schemas of the code and nothing else (npm run generate makes them)', async () => {
  expect(await staleSchemas()).toEqual([])
  expect((await readdir(schemaFolder)).toSorted()).toEqual([...publishedSchemas().keys()].toSorted())
})

it('a published schema admits no unknown key', () => {
  const schema = JSON.parse(publishedSchemas().get('verification-report-v1.json') ?? '')
  expect(schema.additionalProperties).toBe(false)
  expect(schema.required).toContain('verdict')
})
