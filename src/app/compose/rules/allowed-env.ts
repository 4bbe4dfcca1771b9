import { againstApp, appSetting, type ComposeRule } from '../compose-rule.ts'
import { itemsOf, textOf } from '../located.ts'

/** The service that starts the containers has them in its environment, and its script reads some (app-compose.service, app-compose.sh). */
const REDIRECTS =
  /^(?:COMPOSE_.*|APP_COMPOSE_.*|DOCKER_.*|BUILDKIT_.*|PATH|HOME|SHELL|IFS|ENV|BASH_.*|BASHOPTS|SHELLOPTS|PS4|PROMPT_COMMAND|CDPATH|GLOBIGNORE|LD_.*|GCONV_PATH|LOCPATH|TMPDIR|XDG_.*|NODE_OPTIONS|PYTHON.*|PERL5.*|RUBYOPT|GIT_.*|SSL_CERT_.*|HTTPS?_PROXY|ALL_PROXY|NO_PROXY|SSH_.*)$/i
/** With one of these the published pre-launch scripts open a shell to whoever holds it. */
const OPENS = ['DSTACK_ROOT_PUBLIC_KEY', 'DSTACK_AUTHORIZED_KEYS', 'DSTACK_ROOT_PASSWORD']
const SECRET = /KEY|SECRET|TOKEN|PASSW|PRIVATE|CREDENTIAL|MNEMONIC|SEED/i

export const allowedEnv: ComposeRule = {
  id: 'allowed-env',
  severity: 'deny',
  why: 'Values of these variables come from whoever deploys, and are not measured: the key that they are encrypted to is public, so anybody can make them. Some names steer the program that starts the containers, or open a shell.',
  remedy:
    'Write what is no secret into the image or the Compose file. Allow only variables that the app takes for data, never for an address or for code.',
  stage1: 4,
  *check(document) {
    const entry = appSetting(document, 'allowed_envs')
    if (entry === undefined) return
    if (entry.value.kind !== 'list') return yield againstApp(entry, 'allowed_envs is no list')
    for (const [index, item] of itemsOf(entry.value).entries()) {
      const name = textOf(item)
      const place = { pointer: `/allowed_envs/${index}`, at: item.at, value: item }
      if (name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) yield againstApp(entry, 'it is no name of a variable', place)
      else if (OPENS.includes(name))
        yield againstApp(entry, 'with this variable the pre-launch script lets somebody in', { ...place, evidence: [name] })
      else if (REDIRECTS.test(name))
        yield againstApp(entry, 'this variable steers what starts the containers', { ...place, evidence: [name] })
      else {
        const message = SECRET.test(name) ? 'whoever deploys gives a secret, and knows it' : 'whoever deploys gives its value'
        yield againstApp(entry, message, { ...place, evidence: [name], severity: 'warn' })
      }
    }
  },
}
