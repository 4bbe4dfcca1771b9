import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { git, run } from './programs.ts'

/** Makes a bare repository from objects that no git command would make. */
export class BareRepository {
  readonly folder: string

  constructor(parent: string, name = 'a.git') {
    this.folder = path.join(parent, name)
    mkdirSync(this.folder)
    git(this.folder, 'init', '--quiet', '--bare', '--initial-branch=main', '.')
  }

  /** Names are one character a byte. */
  object(type: 'blob' | 'tree' | 'commit', content: Buffer | string): string {
    const input = typeof content === 'string' ? Buffer.from(content, 'latin1') : content
    return run('git', ['hash-object', '-t', type, '-w', '--stdin', '--literally'], { cwd: this.folder, input }).trim()
  }

  tree(...entries: readonly (readonly [mode: string, name: string, object: string])[]): string {
    return this.object('tree', Buffer.concat(entries.map(([mode, name, object]) => treeEntry(mode, name, object))))
  }

  commit(tree: string, o: { parents?: readonly string[]; message?: string; ref?: string } = {}): string {
    const who = 'A <a@example.org> 1700000000 +0000'
    const parents = (o.parents ?? []).map((parent) => `parent ${parent}\n`).join('')
    const commit = this.object('commit', `tree ${tree}\n${parents}author ${who}\ncommitter ${who}\n\n${o.message ?? 'x'}\n`)
    git(this.folder, 'update-ref', o.ref ?? 'refs/heads/main', commit)
    return commit
  }
}

function treeEntry(mode: string, name: string, object: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(object, 'hex')])
}
