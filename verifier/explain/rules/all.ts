import type { PathRule } from '../rule.ts'
import { alternativesLog } from './alternatives-log.ts'
import { aptDpkgLogs } from './apt-dpkg-logs.ts'
import { aptState } from './apt-state.ts'
import { arHeader } from './ar-header.ts'
import { buildDate } from './build-date.ts'
import { buildPath } from './build-path.ts'
import { contentChanged } from './content-changed.ts'
import { cpuCount } from './cpu-count.ts'
import { derivedCache } from './derived-cache.ts'
import { dpkgDatabase } from './dpkg-database.ts'
import { elfIdentity } from './elf-identity.ts'
import { folderTime } from './folder-time.ts'
import { gzipHeaderTime } from './gzip-header-time.ts'
import { hardLinkGroup } from './hard-link-group.ts'
import { innerCompression } from './inner-compression.ts'
import { ldconfigAuxCache } from './ldconfig-aux-cache.ts'
import { lineOrder } from './line-order.ts'
import { mtime } from './mtime.ts'
import { packageDrift } from './package-drift.ts'
import { processId } from './process-id.ts'
import { pyc } from './pyc.ts'
import { randomId } from './random-id.ts'
import { rootPasswordSalt } from './root-password-salt.ts'
import { runtimeLogs } from './runtime-logs.ts'
import { shadowDate } from './shadow-date.ts'
import { sourceModes } from './source-modes.ts'
import { sourceOwner } from './source-owner.ts'
import { sshHostKeys } from './ssh-host-keys.ts'
import { xfsAclXattr } from './xfs-acl-xattr.ts'
import { zipMemberTime } from './zip-member-time.ts'

/** In the order of judgement: what explains a path wholly comes before what explains an aspect of it. */
export const PATH_RULES: readonly PathRule[] = [
  packageDrift,
  dpkgDatabase,
  ldconfigAuxCache,
  alternativesLog,
  aptDpkgLogs,
  aptState,
  runtimeLogs,
  sshHostKeys,
  rootPasswordSalt,
  shadowDate,
  randomId,
  derivedCache,
  pyc,
  gzipHeaderTime,
  innerCompression,
  arHeader,
  zipMemberTime,
  elfIdentity,
  buildDate,
  buildPath,
  processId,
  cpuCount,
  lineOrder,
  sourceModes,
  sourceOwner,
  hardLinkGroup,
  xfsAclXattr,
  folderTime,
  mtime,
  contentChanged,
]
