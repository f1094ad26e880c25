import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseYaml } from './parse.ts'
import { redactFiles } from './redact.ts'
import { looksRandom, redactEachForm, redactForms, redactText } from './redact-text.ts'
import { isSecretName } from './secret-names.ts'

const redact = (body: string): string => redactFiles([{ name: 'f', contentType: 'text/yaml', body }])[0]?.body ?? ''
const value = (body: string): unknown => JSON.parse(JSON.stringify(parseYaml(redact(body), 'f').document ?? null))
const pem = '-----BEGIN PRIVATE KEY-----\nMIICANARYMIICANARY\nCANARY\n-----END PRIVATE KEY-----\n'

describe('redactFiles', () => {
  it('takes out values under names of secrets and keeps everything else', () => {
    expect(
      value(`exporters:
  otlp:
    endpoint: collector:4317
    compression: gzip
    api_key: canary
    apiKey: canary
    password: 12345678
    client_secret: canary
    bearer_token: canary
    DD-API-KEY: canary
    session_cookie: canary
    passphrase: canary
    aws_secret_access_key: canary
    sending_queue: {enabled: true, queue_size: 5000}
    timeout: 5s
`),
    ).toEqual({
      exporters: {
        otlp: {
          endpoint: 'collector:4317',
          compression: 'gzip',
          api_key: '[REDACTED]',
          apiKey: '[REDACTED]',
          password: '[REDACTED]',
          client_secret: '[REDACTED]',
          bearer_token: '[REDACTED]',
          'DD-API-KEY': '[REDACTED]',
          session_cookie: '[REDACTED]',
          passphrase: '[REDACTED]',
          aws_secret_access_key: '[REDACTED]',
          sending_queue: { enabled: true, queue_size: 5000 },
          timeout: '5s',
        },
      },
    })
  })

  it('does not take attribute keys, file names or authenticators for secrets', () => {
    const body = `processors:
  attributes:
    actions:
      - key: host.name
        action: upsert
        value: web-1
  k8sattributes:
    auth_type: serviceAccount
exporters:
  otlp:
    auth: {authenticator: oauth2client}
    tls: {ca_file: /etc/ca.pem, key_file: /etc/key.pem, cert_file: /etc/cert.pem, insecure: false}
  loadbalancing: {routing_key: traceID}
extensions:
  bearertokenauth: {filename: /var/run/token, scheme: Bearer}
service:
  extensions: [bearertokenauth, oauth2client]
`
    expect(value(body)).toEqual(JSON.parse(JSON.stringify(parseYaml(body, 'f').document)))
  })

  it('goes by the name beside the value in lists of pairs', () => {
    expect(value('env:\n  - {name: DB_PASSWORD, value: canary}\n  - {name: REGION, value: eu}\n  - {key: x-api-key, value: canary}\n')).toEqual({
      env: [
        { name: 'DB_PASSWORD', value: '[REDACTED]' },
        { name: 'REGION', value: 'eu' },
        { key: 'x-api-key', value: '[REDACTED]' },
      ],
    })
  })

  it('takes every header for a credential that is not known to be harmless', () => {
    expect(value('headers: {x-honeycomb-team: canary, Content-Type: text/plain, X-Scope-OrgID: team-a}\n')).toEqual({
      headers: { 'x-honeycomb-team': '[REDACTED]', 'Content-Type': 'text/plain', 'X-Scope-OrgID': 'team-a' },
    })
    expect(
      value('headers:\n  - {name: x-vendor, value: canary}\n  - {key: accept, value: json}\n  - {action: upsert, key: tenant, from_context: tenant_id}\n'),
    ).toEqual({
      headers: [
        { name: 'x-vendor', value: '[REDACTED]' },
        { key: 'accept', value: 'json' },
        { action: 'upsert', key: 'tenant', from_context: 'tenant_id' },
      ],
    })
  })

  it('takes out everything below a secret name, in lists and maps', () => {
    expect(value('tokens: [canary, {deep: [canary]}]\ncredentials: {user: canary, port: 7, on: true}\n')).toEqual({
      tokens: ['[REDACTED]', { deep: ['[REDACTED]'] }],
      credentials: { user: '[REDACTED]', port: '[REDACTED]', on: true },
    })
  })

  it('takes out user information and secret parameters of URLs', () => {
    expect(
      value(
        'a: "https://user:canary@host:4317/p?x=1"\nb: "https://host/?api_key=canary&x=1"\nc: "root:canary@tcp(db:3306)/x"\nd: "host=db password=canary user=me"\n',
      ),
    ).toEqual({
      a: 'https://[REDACTED]@host:4317/p?x=1',
      b: 'https://host/?api_key=[REDACTED]&x=1',
      c: 'root:[REDACTED]@tcp(db:3306)/x',
      d: 'host=db password=[REDACTED] user=me',
    })
  })

  it('takes out PEM blocks wherever they stand, as text and as base64', () => {
    const indented = pem.replaceAll('\n', '\n    ')
    expect(redact(`a:\n  b: |\n    ${indented}\nc: "${pem.replaceAll('\n', '\\n')}"\nd: ${btoa(pem)}\n`)).not.toMatch(/CANARY|TUlJ/)
  })

  it('takes out credentials that are known by their form', () => {
    const body =
      'a: Bearer abcdefCANARY1\nb: eyJhbGciOiJI.eyJzdWIiOiIx.CANARY\nc: ghp_CANARYCANARYCANARY1234\nd: AKIAIOSFODNN7EXAMPLE\ne: q8Zk3Lw9Xr2Vb7Nm4Tp6Yd1CANARY5\nf: 0123456789abcdef0123456789abcdef\n'
    expect(redact(body)).not.toMatch(/CANARY|IOSFODNN|abcdef0123/)
  })

  it('keeps names and versions that only look long', () => {
    const body =
      'a: my-otel-collector-deployment-7d9c6bdf8b-x2x9z\nb: 0190a5b2-7c3d-7e4f-8a9b-1c2d3e4f5a6b\nc: /var/lib/otelcol/file_storage/receiver_filelog_\nd: otel.example.com:4317\ne: set(attributes["k8s.deployment.name"], resource.attributes["app"])\n'
    expect(redact(body)).toBe(`${body.trim().replaceAll('set(attributes', 'set(attributes')}\n`)
  })

  it('keeps references, also in secret places, but not their defaults', () => {
    expect(
      value(
        'password: ${env:PW}\nAuthorization: Bearer ${env:TOKEN}\nurl: "https://u:${env:PW}@host"\ntoken: "${env:TOKEN:-canary}"\nsecret: "canary${env:X}"\n',
      ),
    ).toEqual({
      password: '${env:PW}',
      Authorization: 'Bearer ${env:TOKEN}',
      url: 'https://u:${env:PW}@host',
      token: '${env:TOKEN:-[REDACTED]}',
      secret: '[REDACTED]',
    })
  })

  it('finds a secret again under a harmless name, through an alias or as part of a text', () => {
    const result = redact('password: &p canary-4711\nother: *p\ncommand: run --with canary-4711 now\n')
    expect(result).not.toContain('canary')
    expect(parseYaml(result, 'f').document).toMatchObject({ command: 'run --with [REDACTED] now' })
  })

  it('takes out values that are known to be secret, however they are written', () => {
    const redactKnown = (text: string) => text.replaceAll('plain words', '[REDACTED]').replaceAll('4711', '[REDACTED]')
    const known = (body: string) => redactFiles([{ name: 'f', contentType: 'text/yaml', body }], redactKnown)[0]?.body ?? ''
    const body = known('a: plain words\nb: "\\u0070lain words too"\nc: |\n  some plain words\nd: [4711, 47]\nplain words: 1\n')
    expect(parseYaml(body, 'f').document).toEqual({ a: '[REDACTED]', b: '[REDACTED] too', c: 'some [REDACTED]\n', d: ['[REDACTED]', 47], '[REDACTED]': 1 })
    expect(known('a: [\nplain words here\n')).not.toContain('plain words')
  })

  it('knows the tokens of own telemetry', () => {
    expect(redactText('sent by drover_tel_agt_0123abc_0123456789abcdef0123456789abcdef.')).toBe('sent by [REDACTED].')
  })

  it('drops comments', () => {
    expect(redact('# canary\na: 1 # password canary\n')).toBe('a: 1\n')
    expect(redact('# only canary\n')).toBe('')
  })

  it('keeps the order of keys and stays valid YAML', () => {
    expect(redact('z: 1\npassword: "x: y # z"\na: {c: 1, b: 2}\n')).toBe('z: 1\npassword: "[REDACTED]"\na:\n  c: 1\n  b: 2\n')
  })

  it('redacts text that is no YAML line by line', () => {
    const result = redact('a: [\npassword: canary one two\n  token: |\n    canary\n    canary\n  after: kept\n- api_key: canary\nx: "https://u:canary@h"\n')
    expect(result).not.toContain('canary')
    expect(result).toContain('after: kept')
  })

  it('leaves nothing of a secret in any document, and changes nothing the second time', () => {
    const secretKey = fc.constantFrom('password', 'api_key', 'clientSecret', 'X-Auth-Token', 'credentials', 'cookie')
    const canary = fc.stringMatching(/^[a-z]{3,12}$/).map((text) => `canary${text}`)
    const place = fc.constantFrom(
      (key: string, secret: string) => ({ [key]: secret }),
      (key: string, secret: string) => ({ list: [{ deep: { [key]: [secret, { x: secret }] } }] }),
      (key: string, secret: string) => ({ env: [{ name: key, value: secret }] }),
      (_key: string, secret: string) => ({ endpoint: `https://me:${secret}@host/path` }),
      (_key: string, secret: string) => ({ headers: { 'x-vendor': secret } }),
      (key: string, secret: string) => ({ args: [`--${key}=${secret}`, `${key}: ${secret}`] }),
    )
    fc.assert(
      fc.property(secretKey, canary, place, (key, secret, build) => {
        const once = redact(JSON.stringify({ before: 1, it: build(key, secret), after: 'kept' }))
        expect(once).not.toContain(secret)
        expect(once).toContain('after: kept')
        expect(redact(once)).toBe(once)
      }),
    )
  })
})

describe('redactText', () => {
  it('cleans error messages of agents', () => {
    expect(redactText('failed: token: "canary x" for https://u:canary@h/p, password=canary; header Authorization: Bearer canary1234')).toBe(
      'failed: token: "[REDACTED]" for https://[REDACTED]@h/p, password=[REDACTED]; header Authorization: [REDACTED]',
    )
    expect(redactText(`cannot load: ${pem} end`)).toBe('cannot load: [REDACTED]\n end')
    expect(redactText(`cut off: ${pem.slice(0, 50)}`)).toBe('cut off: [REDACTED]')
    expect(redactText('{"api_key":"canary","n":1}')).toBe('{"api_key":"[REDACTED]","n":1}')
  })

  it('leaves messages alone that hold no secret', () => {
    for (const message of [
      "'exporters' error reading configuration for \"otlp\": '' has invalid keys: endpoint2",
      'Agent exited unexpectedly with exit code 1 while applying configuration',
      'Config apply timeout exceeded',
      'listen tcp 0.0.0.0:4317: bind: address already in use',
      'authentication failed: token expired',
      'open /etc/otelcol/tls/server.key: no such file or directory',
    ]) {
      expect(redactText(message)).toBe(message)
    }
  })

  it('does work that grows with the length of the text only', () => {
    // Each of these makes some pattern try every starting point; a backtracking one would not come back.
    for (const piece of [
      'a:',
      'a@',
      '-----BEGIN A-----',
      'password=',
      '://',
      'x'.repeat(64),
      '"\\',
      '=-',
      'eyJabcde.',
      '?a=',
      'password=,',
      ' token: ',
      '\n- secret:',
    ]) {
      expect(redactText(piece.repeat(Math.ceil(200_000 / piece.length))).length).toBeGreaterThan(0)
    }
  })
})

describe('redactForms', () => {
  it('passes over no text that has one of the forms', () => {
    const pieces = [
      '-----BEGIN A-----',
      'LS0tLS1CRUdJTi',
      'x://',
      '@',
      ':',
      '?',
      '&',
      'key',
      '=',
      'bearer',
      ' ',
      'Basic',
      'a1b2c3',
      'eyJabcde',
      '.fghij',
      'ghp_',
      'xoxb-',
    ]
    const tails = ['glsa_', 'sk-', 'AKIA', 'drv_', 'A1b2C3d4E5', 'f6G7h8I9j0', 'a', '-', '/']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces, ...tails), { maxLength: 8 }), (parts) => {
        expect(redactForms(parts.join(''))).toBe(redactEachForm(parts.join('')))
      }),
      { numRuns: 5000 },
    )
  })
})

describe('looksRandom', () => {
  it('tells keys from names', () => {
    const keys = ['q8Zk3Lw9Xr2Vb7Nm4Tp6Yd1', 'd41d8cd98f00b204e9800998ecf8427e', 'a8f5f167f44f4964e6c998dee827110c', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY']
    const names = [
      'otelcol-contrib-distribution',
      'com.example.telemetry',
      '00000000000000000000000000000000',
      'filelog_receiver_for_kubernetes',
      'ThisIsALongCamelCaseNameNumber2',
    ]
    expect(keys.filter(looksRandom)).toEqual(keys)
    expect(names.filter(looksRandom)).toEqual([])
  })
})

describe('isSecretName', () => {
  it('does not take a lone key for a secret', () => {
    const plain = ['key', 'keys', 'keyspace', 'monkey', 'authenticator', 'author', 'key_file', 'token_url', 'max_tokens', 'passwordless_path']
    const secret = [
      'api_key',
      'apikey',
      'private_key',
      'accessKeys',
      'auth',
      'Authorization',
      'certificate',
      'dbPassword',
      'sasl_pwd',
      'SetCookie',
      'x-auth-request',
    ]
    expect(plain.filter(isSecretName)).toEqual([])
    expect(secret.filter(isSecretName)).toEqual(secret)
  })
})
