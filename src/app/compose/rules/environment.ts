import { againstCompose, type ComposeRule } from '../compose-rule.ts'
import { environmentOf } from '../environment.ts'
import { variablesIn } from '../interpolation.ts'

/** Programs load code that these name, or take orders from them. */
const LOADS =
  /^(?:LD_(?:PRELOAD|LIBRARY_PATH|AUDIT)|BASH_ENV|ENV|PROMPT_COMMAND|NODE_OPTIONS|NODE_PATH|PYTHON(?:PATH|STARTUP|HOME)|PERL5(?:LIB|OPT)|RUBY(?:OPT|LIB)|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|DOTNET_STARTUP_HOOKS|GIT_(?:SSH|SSH_COMMAND|EXEC_PATH|ASKPASS)|PHP_INI_SCAN_DIR|LUA_INIT|R_PROFILE|GCONV_PATH|PATH)$/
const SWITCH = /^(?:DEBUG|DEV_?MODE|NODE_ENV|FLASK_DEBUG|FLASK_ENV|RAILS_ENV|APP_ENV)$/

export const environment: ComposeRule = {
  id: 'environment',
  severity: 'deny',
  why: 'Variables can put other code into an attested image, or switch off what protects it; and where a value is taken from outside, it is whoever deploys who says what it is.',
  remedy:
    'Put variables into the image’s config, or have the policy allow this value by its sha256. Take none from outside that is an address or a switch.',
  stage1: 4,
  *check(document) {
    for (const { name, value, node, pointer } of environmentOf(document)) {
      const from = value === null ? [name] : variablesIn(value)
      const evidence = [name]
      if (LOADS.test(name)) yield againstCompose(pointer, node, 'this variable names code that a program loads', { evidence })
      else if (from.length > 0 && isAddress(name, value))
        yield againstCompose(pointer, node, 'whoever deploys says to whom the app speaks', { evidence })
      else if (from.length > 0) yield againstCompose(pointer, node, 'the value comes from whoever deploys', { evidence, severity: 'warn' })
      else if (SWITCH.test(name) && !/^(?:0|false|production|prod|no|off|)$/i.test(value ?? ''))
        yield againstCompose(pointer, node, 'a switch of development is set', { evidence, severity: 'warn' })
      else yield againstCompose(pointer, node, 'a variable is set that the image does not set', { evidence, severity: 'info' })
    }
  },
}

function isAddress(name: string, value: string | null): boolean {
  return (
    /(?:^|_)(?:URL|URI|HOST|HOSTNAME|ENDPOINT|ADDR|ADDRESS|ORIGIN|DOMAIN|SERVER|PROXY|WEBHOOK|RPC|API|BASE)S?(?:_|$)/i.test(name) ||
    /:\/\//.test(value ?? '')
  )
}
