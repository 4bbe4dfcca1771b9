#!/usr/bin/env node
// Plain old syntax and no static import: a Node that is too old must be able to read this file, so that it can say so.
var needed = [24, 15]
var version = process.versions.node.split('.').map(Number)
var entry = '../../dist/src/bin/main.js'

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
  import(entry).catch(function (error) {
    process.stderr.write(
      error && error.code === 'ERR_MODULE_NOT_FOUND'
        ? 'bitwitness is not built, or a package that it needs is not installed: run npm ci in its folder.\n'
        : 'bitwitness could not start.\n',
    )
    process.exitCode = 3
  })
}
