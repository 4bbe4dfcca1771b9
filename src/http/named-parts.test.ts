import { expect, it } from 'vitest'
import { withNamedParts } from './named-parts.ts'

const owner = { type: 'object', properties: { name: { type: 'string' } } }
const kinds = { oneOf: [{ type: 'string' }, { type: 'number' }] }
const item = { type: 'object', properties: { owner, kinds, list: { type: 'array', items: owner } } }

it('names what has a name wherever it stands, also where it may be null or is told of, and not itself', () => {
  const document = {
    openapi: '3.1.0',
    paths: {
      whole: item,
      told: { ...owner, description: 'whose' },
      maybe: { ...owner, type: ['object', 'null'], description: 'whose' },
      eitherOrNull: { oneOf: [...kinds.oneOf, { type: 'null' }] },
      other: { ...owner, required: ['name'] },
    },
    components: { schemas: { item, owner, kinds }, securitySchemes: { token: { type: 'http' } } },
  }
  const to = (name: string) => ({ $ref: `#/components/schemas/${name}` })
  expect(withNamedParts(document, { item, owner, kinds })).toEqual({
    openapi: '3.1.0',
    paths: {
      whole: to('item'),
      told: { ...to('owner'), description: 'whose' },
      maybe: { oneOf: [to('owner'), { type: 'null' }], description: 'whose' },
      eitherOrNull: { oneOf: [to('kinds'), { type: 'null' }] },
      other: { ...owner, required: ['name'] },
    },
    components: {
      schemas: {
        item: { type: 'object', properties: { owner: to('owner'), kinds: to('kinds'), list: { type: 'array', items: to('owner') } } },
        owner,
        kinds,
      },
      securitySchemes: { token: { type: 'http' } },
    },
  })
})
