import { type Setting, scriptFiles, settingsOf } from './setting.ts'

const include = settingsOf('Include')
const config = settingsOf('Config')
const distribution = settingsOf('Distribution')
const output = settingsOf('Output')

/** Sections Include, Config, Distribution and Output. */
export const OUTPUT_SETTINGS: readonly Setting[] = [
  include('Include', 'paths', ['include-builtin']),

  config('Profiles', 'list', 'image', { aliases: ['Profile'] }),
  config('Dependencies', 'list', 'image'),
  config('MinimumVersion', 'text', ['minimum-version']),
  config('ConfigureScripts', 'scripts', ['configure-script'], { files: ['mkosi.configure'] }),
  config('PassEnvironment', 'words', ['pass-environment']),

  distribution('Distribution', 'text', ['distribution-unsupported']),
  distribution('Release', 'text', ['release-unsupported']),
  distribution('Architecture', 'text', ['architecture-unsupported']),
  distribution('Mirror', 'text', ['mirror-ignored']),
  distribution('LocalMirror', 'text', ['unsigned-packages']),
  distribution('RepositoryKeyCheck', 'text', ['unsigned-packages']),
  distribution('RepositoryKeyFetch', 'text', ['unsigned-packages']),
  distribution('Repositories', 'list', ['repositories']),
  distribution('Snapshot', 'text', ['setting-newer'], { files: ['mkosi.snapshot'], readsFile: true, since: '26' }),

  output('Format', 'text', ['format-unreproducible']),
  output('ManifestFormat', 'list', 'image'),
  output('Output', 'name', ['output-name']),
  output('OutputExtension', 'name', ['output-name'], { since: '26' }),
  output('OutputSize', 'text', 'image', { since: '26' }),
  output('CompressOutput', 'text', ['compression']),
  output('CompressLevel', 'text', 'image'),
  output('OutputDirectory', 'path', 'builder', { files: ['mkosi.output'] }),
  output('OutputMode', 'text', 'image'),
  output('ImageVersion', 'text', ['output-name', 'parse-time-executable'], { files: ['mkosi.version'], readsFile: true }),
  output('ImageId', 'text', ['output-name']),
  output('SplitArtifacts', 'list', 'image'),
  output('RepartDirectories', 'paths', ['repart-copy'], { files: ['mkosi.repart'] }),
  output('SectorSize', 'text', 'image'),
  output('Overlay', 'text', 'image'),
  output('Seed', 'text', ['random-value', 'parse-time-executable'], { files: ['mkosi.seed'], readsFile: true }),
  output('CleanScripts', 'scripts', ['script-outside-image'], scriptFiles('clean', false)),
  output('OciLabels', 'environment', 'image', { since: '26' }),
  output('OciAnnotations', 'environment', 'image', { since: '26' }),
  output('ElTorito', 'text', 'image', { since: '26' }),
  output('ElToritoSystem', 'text', 'image', { since: '26' }),
  output('ElToritoVolume', 'text', 'image', { since: '26' }),
  output('ElToritoPublisher', 'text', 'image', { since: '26' }),
]
