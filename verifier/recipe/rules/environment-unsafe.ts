import { environmentOf } from '../environment.ts'
import type { Rule } from '../rule.ts'

/** Names by which a variable puts code into the builder's programs, moves their configuration, or points them elsewhere. */
const UNSAFE =
  /^(LD_.*|GLIBC_TUNABLES|GCONV_PATH|LOCPATH|NLSPATH|PATH|HOME|SHELL|IFS|ENV|BASH_ENV|BASH_FUNC_.*|PS4|PYTHON.*|PERL.*|RUBY.*|APT_.*|DPKG_(ROOT|ADMINDIR|FORCE|HOOK.*)|DEB.*_FRONTEND|GNUPGHOME|GPG_.*|OPENSSL_.*|SSL_CERT_.*|CURL_.*|GIT_(CONFIG.*|EXEC_PATH|SSH.*|ASKPASS|PROXY.*|TEMPLATE_DIR|DIR|WORK_TREE)|MKOSI_.*|SYSTEMD_REPART_OVERRIDE_.*|SYSTEMD_OFFLINE|TAR_OPTIONS|GZIP|ZSTD_.*|XZ_.*|TMPDIR|TMP|TEMP|(https?|ftp|all|no)_proxy|(HTTPS?|FTP|ALL|NO)_PROXY|UNSHARE_.*|LIBMOUNT_.*)$/

const HARMLESS = new Set(['MKOSI_CHROOT_SUPPRESS_CHOWN', 'PYTHONHASHSEED', 'PYTHONDONTWRITEBYTECODE', 'PYTHONUNBUFFERED', 'PYTHONUTF8'])

export const environmentUnsafe: Rule = {
  id: 'environment-unsafe',
  severity: 'refuse',
  text: "mkosi gives the recipe's variables to its own tools, apt among them. Some make a program load other code, read another configuration or go to another place.",
  remedy: 'Set such a variable inside the script that needs it.',
  *check(config) {
    for (const { name, value, path, line } of environmentOf(config)) {
      if (HARMLESS.has(name)) continue
      // mkosi fills specifiers in, or drops them, before it looks for the name.
      if (name.includes('%') || UNSAFE.test(name))
        yield { path, line, message: "a variable reaches into the builder's programs", evidence: [`${name}=${value ?? ''}`] }
      if (name === 'SOURCE_DATE_EPOCH')
        yield { path, line, message: 'the time of the image is set by a variable', evidence: [`${name}=${value ?? ''}`], severity: 'warn' }
    }
  },
}
