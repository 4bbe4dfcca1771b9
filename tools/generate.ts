import { writeSchemas } from './schemas.ts'

/** `npm run generate`: makes everything again that is made from code. The house tests fail while any of it is stale. */
await writeSchemas()
