#!/usr/bin/env node
// Plain old syntax and no static import: a Node that is too old must be able to read this file, so that it can say so.
var needed = [24, 15]
var version = process.versions.node.split('.').map(Number)
// The same program, put together in few files for the one command that is run again and again.
var verifies = process.argv[2] === 'attestation' && process.argv[3] === 'verify'
var entry = verifies ? '../../dist/attestation-verify/main.js' : '../../dist/src/bin/main.js'

if (version[0] < needed[0] || (version[0] === needed[0] && version[1] < needed[1])) {
  process.stderr.write(
    'bitwitness needs Node.js ' +
      needed.join('.') +
      ' or newer, and this is ' +
      process.versions.node +
      '.\nInstall a newer one, or in a folder with a package.json: npm install --save-dev node@24\n',
  )
  process.exitCode = 2
} else {
  keepCompiled(process.getBuiltinModule('fs'), process.getBuiltinModule('path'), process.getBuiltinModule('module'))
  import(entry).catch(function (error) {
    process.stderr.write(
      error && error.code === 'ERR_MODULE_NOT_FOUND'
        ? 'bitwitness is not built, or a package that it needs is not installed: run npm ci in its folder.\n'
        : 'bitwitness could not start.\n',
    )
    process.exitCode = 3
  })
}

// Keeps compiled code in the home, if there is one: a tenth of what a short command takes. Code that somebody else could put there would run
// as us, so that both folders must be ours and nobody else may write to them. Where anything is in the way it is done without.
function keepCompiled(fs, path, module) {
  try {
    var data = process.env.XDG_DATA_HOME || path.join(process.env.HOME, '.local', 'share')
    var home = process.env.BITWITNESS_HOME || path.join(data, 'bitwitness')
    var compiled = path.join(home, 'compiled')
    if (!path.isAbsolute(home) || !isOurs(fs.statSync(home), 18)) return
    if (!fs.existsSync(compiled)) fs.mkdirSync(compiled, { mode: 448 })
    if (isOurs(fs.lstatSync(compiled), 63)) module.enableCompileCache(compiled)
  } catch {
    // No home, or none to write to.
  }
}

// Others are told by the bits of the mode that must not be set: 18 is octal 022, and 63 is 077; 448 above is 0700.
function isOurs(found, others) {
  return found.isDirectory() && found.uid === process.getuid() && (found.mode & others) === 0
}
