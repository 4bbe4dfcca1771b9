import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { canonicaliseTar } from '../verifier/compare/canonicalise.ts'
import { packOci } from '../verifier/compare/oci-image.ts'

/** One measured process of bench/compare.ts: FOLDER TAR… compares the tars as a verification does and prints what it took, as JSON. */
const [folder = '.', mode = 'digest', ...tars] = process.argv.slice(2)
const blobs = await openBlobFolder(`${folder}/blobs`)
const config = { entrypoint: [], cmd: ['/sbin/init'], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} }
const compared = await Promise.all(
  tars.map(async (input, index) => {
    const output = mode === 'write' ? `${folder}/canonical-${index}.tar` : null
    const facts = await canonicaliseTar({ input, output, blobs })
    const image = packOci({ layer: facts.canonical, created: 1700000000, architecture: 'amd64', config })
    return { manifest: image.manifest.sha256, tree: facts.treeManifest, ...facts.canonical, transformations: facts.transformations }
  }),
)
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
console.log(JSON.stringify({ compared, peakBytes: maxRSS * 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 }))
