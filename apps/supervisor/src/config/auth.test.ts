/** `server.auth`: which extensions there are, and what is sent while their files change. */
import { describe, expect, it } from 'vitest'
import { headerSource } from './auth.ts'
import { least, load, said } from './test-host.ts'
import type { ServerAuth } from './supervisor-config.ts'

const files = { '/token': 'abc\nrest', '/user': 'me\n', '/password': 'canary\n', '/empty': '\n' }
const withAuth = (extensions: string, name = extensions.slice(1).split(':')[0]) =>
  `${least.replace('server:\n', `server:\n  auth: ${name}\n`)}capabilities: {accepts_remote_config: true, reports_remote_config: true}\nextensions: ${extensions}\n`
const authOf = (extensions: string) => load(withAuth(extensions), { files, env: { T: 'from-env' } }).config.server.auth

describe('server.auth', () => {
  it('takes bearer tokens as texts or from a file, and users with passwords', () => {
    expect(authOf('{bearertokenauth: {token: "${env:T}"}}')).toEqual({
      kind: 'bearer',
      header: 'Authorization',
      scheme: 'Bearer',
      token: { kind: 'text', text: 'from-env' },
    })
    expect(authOf('{bearertokenauth: {filename: /token, token: ignored, scheme: Token, header: X-Auth}}')).toEqual({
      kind: 'bearer',
      header: 'X-Auth',
      scheme: 'Token',
      token: { kind: 'file', path: '/token' },
    })
    expect(authOf('{bearertokenauth: {tokens: [one, two]}}')).toMatchObject({ token: { text: 'one' } })
    expect(authOf('{basicauth: {client_auth: {username: me, password: canary}}}')).toEqual({
      kind: 'basic',
      username: { kind: 'text', text: 'me' },
      password: { kind: 'text', text: 'canary' },
    })
    expect(authOf('{basicauth: {client_auth: {username_file: /user, password_file: /password}}}')).toMatchObject({
      username: { path: '/user' },
      password: { path: '/password' },
    })
  })

  it('takes the one of several that is named', () => {
    const text = withAuth('{bearertokenauth/a: {token: a}, bearertokenauth/b: {token: b}}', 'bearertokenauth/b')
    expect(load(text).config.server.auth).toMatchObject({ token: { text: 'b' } })
    expect(said(text)).toEqual(['7:14: note: extensions.bearertokenauth/a: has no effect: server.auth does not name it'])
  })

  it.each([
    ['{bearertokenauth: {}}', '7:14: error: extensions.bearertokenauth: needs a token: give filename or token'],
    ['{bearertokenauth: {filename: /none}}', '7:32: error: extensions.bearertokenauth.filename: cannot read /none: there is no such file'],
    ['{bearertokenauth: {filename: /empty}}', '7:32: error: extensions.bearertokenauth.filename: /empty is empty'],
    ['{bearertokenauth: {tokn: x, token: y}}', '7:32: error: extensions.bearertokenauth.tokn: there is no such key: did you mean token?'],
    ['{basicauth: {client_auth: {password: canary}}}', '7:14: error: extensions.basicauth: needs client_auth.username or client_auth.username_file'],
    [
      '{basicauth: {client_auth: {username: x, aws_secrets_manager: {}}}}',
      '7:53: error: extensions.basicauth.client_auth.aws_secrets_manager: is not supported: give username and password',
    ],
    [
      '{oauth2client: {client_id: x, client_secret: canary}}',
      '7:14: error: extensions.oauth2client: OAuth 2 client credentials are not supported: bearertokenauth and basicauth are supported',
    ],
    ['{sigv4auth: {}}', '7:14: error: extensions.sigv4auth: "sigv4auth" is not supported: bearertokenauth and basicauth are supported'],
  ])('%j is wrong', (extensions, sentence) => {
    const all = said(withAuth(extensions), { files })
    expect(all).toEqual([sentence])
    expect(all.join('\n')).not.toContain('canary')
  })
})

describe('headerSource', () => {
  const bearer: ServerAuth = { kind: 'bearer', header: 'Authorization', scheme: 'Bearer', token: { kind: 'file', path: '/token' } }

  it('reads the file for each connection, and keeps what it read last while it cannot', () => {
    const troubles: string[] = []
    let content: string | undefined = 'one\n'
    const read = () => {
      if (content === undefined) throw new Error('there is no such file')
      return content
    }
    const source = headerSource(bearer, { read, onTrouble: (message) => troubles.push(message) })
    expect(source()).toEqual([['Authorization', 'Bearer one']])
    content = 'two\n'
    expect(source()).toEqual([['Authorization', 'Bearer two']])
    content = undefined
    expect([source(), source()]).toEqual([[['Authorization', 'Bearer two']], [['Authorization', 'Bearer two']]])
    content = ''
    expect(source()).toEqual([['Authorization', 'Bearer two']])
    expect(troubles).toEqual(['cannot read /token: there is no such file'])
    content = 'three'
    expect(source()).toEqual([['Authorization', 'Bearer three']])
    content = undefined
    source()
    expect(troubles).toHaveLength(2)
  })

  it('sends nothing when it never could read the file', () => {
    expect(
      headerSource(bearer, {
        read: () => {
          throw new Error('gone')
        },
      })(),
    ).toEqual([])
  })

  it('sends user and password as HTTP has it, beyond ASCII in UTF-8', () => {
    const source = headerSource({ kind: 'basic', username: { kind: 'text', text: 'me' }, password: { kind: 'text', text: 'pä:ss' } })
    expect(source()).toEqual([['Authorization', `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode('me:pä:ss')))}`]])
  })

  it('leaves the scheme out when it is empty', () => {
    expect(headerSource({ ...bearer, scheme: '', token: { kind: 'text', text: 't' } })()).toEqual([['Authorization', 't']])
  })
})
