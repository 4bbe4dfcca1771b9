import type { ComposeRule } from '../compose-rule.ts'
import { allowedEnv } from './allowed-env.ts'
import { appForm } from './app-form.ts'
import { appKeyUnknown } from './app-key-unknown.ts'
import { appSize } from './app-size.ts'
import { buildSection } from './build-section.ts'
import { codeOverride } from './code-override.ts'
import { composeForm } from './compose-form.ts'
import { contentOverride } from './content-override.ts'
import { engineSocket } from './engine-socket.ts'
import { environment } from './environment.ts'
import { guestFolder } from './guest-folder.ts'
import { guestVersion } from './guest-version.ts'
import { hostNamespace } from './host-namespace.ts'
import { imageUnpinned } from './image-unpinned.ts'
import { initScript } from './init-script.ts'
import { interpolation } from './interpolation.ts'
import { keyProvider } from './key-provider.ts'
import { logDriver } from './log-driver.ts'
import { nameResolution } from './name-resolution.ts'
import { outsideFile } from './outside-file.ts'
import { preLaunchScript } from './pre-launch-script.ts'
import { privileged } from './privileged.ts'
import { profiles } from './profiles.ts'
import { publicLogs } from './public-logs.ts'
import { publicTcbinfo } from './public-tcbinfo.ts'
import { runner } from './runner.ts'
import { secureTime } from './secure-time.ts'
import { serviceKeyUnknown } from './service-key-unknown.ts'
import { verityVolume } from './verity-volume.ts'
import { yamlAmbiguous } from './yaml-ambiguous.ts'
import { yamlVersions } from './yaml-versions.ts'

export const COMPOSE_RULES: readonly ComposeRule[] = [
  allowedEnv,
  appForm,
  appKeyUnknown,
  appSize,
  buildSection,
  codeOverride,
  composeForm,
  contentOverride,
  engineSocket,
  environment,
  guestFolder,
  guestVersion,
  hostNamespace,
  imageUnpinned,
  initScript,
  interpolation,
  keyProvider,
  logDriver,
  nameResolution,
  outsideFile,
  preLaunchScript,
  privileged,
  profiles,
  publicLogs,
  publicTcbinfo,
  runner,
  secureTime,
  serviceKeyUnknown,
  verityVolume,
  yamlAmbiguous,
  yamlVersions,
]
