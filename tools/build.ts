import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import path from 'node:path'

/** Makes dist/ from nothing, so that a file that was removed from the sources cannot live on in a package. */
const root = path.join(import.meta.dirname, '..')
rmSync(path.join(root, 'dist'), { recursive: true, force: true })
execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', path.join(root, 'tsconfig.build.json')], {
  cwd: root,
  stdio: 'inherit',
})
chmodSync(path.join(root, 'src/bin/bitwitness.js'), 0o755)
