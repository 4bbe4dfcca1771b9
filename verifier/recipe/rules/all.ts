import type { Rule } from '../rule.ts'
import { architectureUnsupported } from './architecture-unsupported.ts'
import { baseTree } from './base-tree.ts'
import { builderReplaced } from './builder-replaced.ts'
import { cacheOnly } from './cache-only.ts'
import { compression } from './compression.ts'
import { configAmbiguous } from './config-ambiguous.ts'
import { configMissing } from './config-missing.ts'
import { configSyntax } from './config-syntax.ts'
import { configUnreadable } from './config-unreadable.ts'
import { configureScript } from './configure-script.ts'
import { distributionUnsupported } from './distribution-unsupported.ts'
import { environmentUnsafe } from './environment-unsafe.ts'
import { formatUnreproducible } from './format-unreproducible.ts'
import { hostDependent } from './host-dependent.ts'
import { imageApt } from './image-apt.ts'
import { imageConfigInvalid } from './image-config-invalid.ts'
import { includeBuiltin } from './include-builtin.ts'
import { keySource } from './key-source.ts'
import { linkOutside } from './link-outside.ts'
import { matchHost } from './match-host.ts'
import { minimumVersion } from './minimum-version.ts'
import { mirrorIgnored } from './mirror-ignored.ts'
import { opaqueInput } from './opaque-input.ts'
import { outputByScript } from './output-by-script.ts'
import { outputName } from './output-name.ts'
import { outputSignature } from './output-signature.ts'
import { packageArgument } from './package-argument.ts'
import { packageFolder } from './package-folder.ts'
import { parseTimeExecutable } from './parse-time-executable.ts'
import { passEnvironment } from './pass-environment.ts'
import { pathOutside } from './path-outside.ts'
import { postoutput } from './postoutput.ts'
import { proxySettings } from './proxy-settings.ts'
import { randomValue } from './random-value.ts'
import { releaseUnsupported } from './release-unsupported.ts'
import { remoteAccess } from './remote-access.ts'
import { removeFiles } from './remove-files.ts'
import { repartCopy } from './repart-copy.ts'
import { repartOnline } from './repart-online.ts'
import { repositories } from './repositories.ts'
import { rootPassword } from './root-password.ts'
import { sandboxApt } from './sandbox-apt.ts'
import { sandboxTree } from './sandbox-tree.ts'
import { sandboxUsr } from './sandbox-usr.ts'
import { scriptNetwork } from './script-network.ts'
import { scriptOutsideImage } from './script-outside-image.ts'
import { secretInSource } from './secret-in-source.ts'
import { sectionUnknown } from './section-unknown.ts'
import { settingNewer } from './setting-newer.ts'
import { settingRepeated } from './setting-repeated.ts'
import { settingUnknown } from './setting-unknown.ts'
import { sourceDateEpoch } from './source-date-epoch.ts'
import { stateFolder } from './state-folder.ts'
import { unpinned } from './unpinned.ts'
import { unsignedPackages } from './unsigned-packages.ts'
import { withNetwork } from './with-network.ts'

/** Every rule of recipes, by id. Each is listed in docs/recipe-rules.md. */
export const RULES: readonly Rule[] = [
  architectureUnsupported,
  baseTree,
  builderReplaced,
  cacheOnly,
  compression,
  configAmbiguous,
  configMissing,
  configSyntax,
  configUnreadable,
  configureScript,
  distributionUnsupported,
  environmentUnsafe,
  formatUnreproducible,
  hostDependent,
  imageApt,
  imageConfigInvalid,
  includeBuiltin,
  keySource,
  linkOutside,
  matchHost,
  minimumVersion,
  mirrorIgnored,
  opaqueInput,
  outputByScript,
  outputName,
  outputSignature,
  packageArgument,
  packageFolder,
  parseTimeExecutable,
  passEnvironment,
  pathOutside,
  postoutput,
  proxySettings,
  randomValue,
  releaseUnsupported,
  remoteAccess,
  removeFiles,
  repartCopy,
  repartOnline,
  repositories,
  rootPassword,
  sandboxApt,
  sandboxTree,
  sandboxUsr,
  scriptNetwork,
  scriptOutsideImage,
  secretInSource,
  sectionUnknown,
  settingNewer,
  settingRepeated,
  settingUnknown,
  sourceDateEpoch,
  stateFolder,
  unpinned,
  unsignedPackages,
  withNetwork,
]
