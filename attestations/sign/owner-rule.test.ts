import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refuseOwner, type SignerNames } from './owner-rule.ts'

const workflow = 'https://github.com/Acme/rebuilder/.github/workflows/rebuild.yml@refs/heads/main'
const acme: SignerNames = { identities: [workflow], repositories: ['https://github.com/Acme/rebuilder', 'https://github.com/Acme'] }
/** A workflow of others that runs in a repository of acme. */
const borrowed: SignerNames = {
  identities: ['https://github.com/builders/generic/.github/workflows/build.yml@refs/tags/v1'],
  repositories: ['https://github.com/acme/app'],
}
const mail: SignerNames = { identities: ['Rebuilder@Mail.example'], repositories: [] }
const uri: SignerNames = { identities: ['https://issuer.example/rebuilders/alpha'], repositories: [] }
const spiffe: SignerNames = { identities: ['spiffe://cluster.example/acme/signer'], repositories: [] }

function refused(signer: SignerNames, owner: string | null, repository: string | null = null): boolean {
  try {
    refuseOwner(signer, { owner, repository })
    return false
  } catch (error) {
    expect(error).toMatchObject({ name: 'Failure', code: 'signer-is-owner' })
    return true
  }
}

describe('whoever signs is the owner', () => {
  it.each<[string, SignerNames, string | null, string | null]>([
    ['by the identity itself', acme, workflow, null],
    ['by an account', acme, 'acme', null],
    ['by an account in other letters', acme, 'ACME', null],
    ['by a repository of the account', acme, 'acme/app', null],
    ['by the subject of a token', acme, 'repo:acme/app:ref:refs/heads/main', null],
    ['by a URL of the account', acme, 'https://github.com/acme', null],
    ['by a URL of any of its repositories', acme, 'https://www.github.com/ACME/other.git', null],
    ['by an escaped URL', acme, 'https://github.com/%61cme/app', null],
    ['by the short form of ssh', acme, 'git@github.com:acme/app.git', null],
    ['by the repository of the source', acme, null, 'https://github.com/acme/app.git'],
    ['by the repository that the workflow ran in', borrowed, null, 'https://github.com/acme/other.git'],
    ['by where the workflow is from', borrowed, 'builders', null],
    ['by an e-mail address in other letters', mail, 'rebuilder@mail.example', null],
    ['by a URI', uri, 'https://issuer.example/rebuilders/alpha', null],
    ['by the account that a URI lies in', uri, 'https://issuer.example/rebuilders/beta', null],
    ['by the first part of a SPIFFE id', spiffe, 'acme', null],
  ])('%s', (_, signer, owner, repository) => {
    expect(refused(signer, owner, repository)).toBe(true)
  })
})

describe('whoever signs is somebody else', () => {
  it.each<[string, SignerNames, string | null, string | null]>([
    ['where nobody asked', acme, null, null],
    ['where the name only begins alike', acme, 'acme-labs', 'https://github.com/acmes/app.git'],
    ['where the name is the repository’s', acme, 'rebuilder', null],
    ['on another host', acme, 'https://git.example/acme', 'https://git.example/acme/app.git'],
    ['on a host that ends alike', acme, null, 'https://notgithub.com/acme/app.git'],
    ['on a host in a path', acme, null, 'https://git.example/github.com/acme/app.git'],
    ['with another mailbox', mail, 'other@mail.example', 'https://mail.example/rebuilder/app.git'],
    ['with another issuer', uri, 'https://issuer.example.evil/rebuilders/alpha', null],
    ['with no path', uri, 'https://issuer.example/', null],
  ])('%s', (_, signer, owner, repository) => {
    expect(refused(signer, owner, repository)).toBe(false)
  })
})

it('takes any text for an owner and any text for a repository', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.webUrl(), (owner, repository) => {
      expect(typeof refused(acme, owner, repository)).toBe('boolean')
    }),
  )
})

it('refuses every owner that is an identity of the signer', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (name) => {
      expect(refused({ identities: [name], repositories: [] }, name)).toBe(true)
    }),
  )
})
