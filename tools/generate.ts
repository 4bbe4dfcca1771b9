import { writePages } from './generated-pages.ts'
import { writeSchemas } from './schemas.ts'

/** `npm run generate`: makes everything again that is made from code. Tests fail while any of it is stale. */
await writeSchemas()
await writePages()
