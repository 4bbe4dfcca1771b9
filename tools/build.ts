import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { bundleVerifier } from './bundle-verifier.ts'
import { linkProgram } from './link-program.ts'

/** Makes dist/ from nothing, so that a file that was removed from the sources cannot live on in a package. */
const root = path.join(import.meta.dirname, '..')
rmSync(path.join(root, 'dist'), { recursive: true, force: true })
// Types are checked by `npm run check`; an install only has to translate.
const compiled = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noCheck'], {
  cwd: root,
  stdio: 'inherit',
})
process.exitCode = compiled.status ?? 1
if (compiled.status === 0) {
  await bundleVerifier(path.join(root, 'dist'), path.join(root, 'node_modules'))
  await linkProgram(root)
}
