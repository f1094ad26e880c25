/** Calls over real sockets on loopback, which has to be allowed for that; and every way to a forbidden place. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseAllowedTargets } from '../config/allowed-targets.ts'
import { OutgoingError, createOutgoing } from './index.ts'
import type { OutgoingOptions } from './index.ts'
import { certificateOfReceiverTest } from './test-certificate.ts'
import { startTestReceiver } from './test-receiver.ts'
import type { TestReceiver } from './test-receiver.ts'

let receiver: TestReceiver
beforeEach(async () => {
  receiver = await startTestReceiver()
})
afterEach(() => receiver[Symbol.asyncDispose]())

type Settings = Partial<Omit<OutgoingOptions, 'allowed'>> & { readonly allow?: string }

const open = ({ allow = '127.0.0.0/8', ...settings }: Settings = {}) => createOutgoing({ allowed: parseAllowedTargets(allow), ...settings })
const get = (url: string, settings?: Settings) => open(settings).send({ method: 'GET', url })
const answers =
  (...addresses: readonly string[]) =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

/** What the call failed with. */
async function failureOf(call: Promise<unknown>): Promise<OutgoingError> {
  const error: unknown = await call.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof OutgoingError) return error
  throw error
}

/** A server that says what it likes, without HTTP. */
async function startRawServer(serve: (socket: Socket) => void): Promise<{ url: string } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: it listens on TCP
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('a call', () => {
  it('brings the answer, whatever its status', async () => {
    receiver.reply = (response) => void response.writeHead(503, { 'retry-after': '7' }).end('later')
    const answer = await open().send({ method: 'POST', url: `${receiver.url}/a/b?c=d`, headers: { 'content-type': 'text/plain' }, body: 'grüße' })
    expect({ ...answer, body: answer.body.toString(), headers: answer.headers['retry-after'] }).toEqual({ status: 503, headers: '7', body: 'later' })
    expect(receiver.calls).toEqual([expect.objectContaining({ method: 'POST', path: '/a/b?c=d', body: 'grüße' })])
    expect(receiver.calls[0]?.headers).toMatchObject({ host: `127.0.0.1:${receiver.port}`, 'content-type': 'text/plain', connection: 'close' })
  })

  it('resolves a name once and tells the receiver the name', async () => {
    let asked = 0
    const resolve = async () => {
      asked++
      return asked === 1 ? [{ address: '127.0.0.1', family: 4 }] : [{ address: '169.254.169.254', family: 4 }]
    }
    await get(`http://receiver.test:${receiver.port}/`, { resolve, allow: 'receiver.test' })
    expect([asked, receiver.calls[0]?.headers.host]).toEqual([1, `receiver.test:${receiver.port}`])
  })

  it('checks the certificate against the name', async () => {
    await using encrypted = await startTestReceiver(undefined, certificateOfReceiverTest)
    const [resolve, trusted] = [answers('127.0.0.1'), certificateOfReceiverTest.cert]
    const answer = await get(`https://receiver.test:${encrypted.port}/`, { resolve, trusted })
    expect(answer.status).toBe(200)
    const other = await failureOf(get(`https://other.test:${encrypted.port}/`, { resolve, trusted }))
    expect(other.message).toBe(`other.test:${encrypted.port} has a certificate for another name`)
    expect((await failureOf(get(`https://receiver.test:${encrypted.port}/`, { resolve }))).message).toContain('nobody trusted')
    expect(encrypted.calls).toHaveLength(1)
  })

  it('says in a sentence why there is no answer, without path and query', async () => {
    await using gone = await startRawServer((socket) => socket.destroy())
    await using noHttp = await startRawServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'))
    const { port } = receiver
    await receiver[Symbol.asyncDispose]()
    const failures = [
      await failureOf(get(`http://127.0.0.1:${port}/token/s3cret?key=s3cret`)),
      await failureOf(get(`${gone.url}s3cret`)),
      await failureOf(get(`${noHttp.url}s3cret`)),
      await failureOf(get('https://nowhere.test/s3cret', { resolve: () => Promise.reject(new Error('ENOTFOUND')) })),
    ]
    receiver = await startTestReceiver()
    expect(failures.map(({ message }) => message.replaceAll(/127.0.0.1:\d+/g, 'it'))).toEqual([
      'it refuses the connection',
      'it broke the connection',
      expect.stringMatching(/^it did not answer in HTTP/),
      'the name nowhere.test has no address: look for a typing error, or at the name server',
    ])
  })

  it('uses no proxy of the environment', async () => {
    await using proxy = await startTestReceiver()
    const script = `
      const { createOutgoing } = await import(${JSON.stringify(fileURLToPath(new URL('index.ts', import.meta.url)))})
      const { parseAllowedTargets } = await import(${JSON.stringify(fileURLToPath(new URL('../config/allowed-targets.ts', import.meta.url)))})
      await createOutgoing({ allowed: parseAllowedTargets('127.0.0.1') }).send({ method: 'GET', url: ${JSON.stringify(`${receiver.url}/direct`)} })`
    const env = { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url, http_proxy: proxy.url, NO_PROXY: '', no_proxy: '' }
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env, timeout: 20_000 })
    expect([receiver.calls.map(({ path }) => path), proxy.calls]).toEqual([['/direct'], []])
  })
})

describe('a forbidden place', () => {
  it.each([
    ['a decimal number', 'http://2130706433:PORT/', 'loopback'],
    ['a hexadecimal number', 'http://0x7f000001:PORT/', 'loopback'],
    ['octal digits', 'http://0177.0.0.1:PORT/', 'loopback'],
    ['a short form', 'http://127.1:PORT/', 'loopback'],
    ['a final dot', 'http://127.0.0.1.:PORT/', 'loopback'],
    ['full-width digits', 'http://１２７.0.0.1:PORT/', 'loopback'],
    ['an IPv4 address in IPv6', 'http://[::ffff:127.0.0.1]:PORT/', 'loopback'],
    ['the same in hexadecimal', 'https://[::ffff:7f00:1]:PORT/', 'loopback'],
    ['loopback of IPv6', 'https://[::1]:PORT/', 'loopback'],
    ['a NAT64', 'https://[64:ff9b::7f00:1]/', 'loopback'],
    ['6to4', 'https://[2002:7f00:1::1]/', '6to4'],
    ['the metadata of a cloud', 'http://169.254.169.254/latest/meta-data/', 'link-local'],
    ['the same through a NAT64', 'https://[64:ff9b::a9fe:a9fe]/', 'link-local'],
    ['a network at home', 'https://192.168.1.1/', 'private'],
    ['a carrier’s network', 'https://100.64.0.1/', 'private'],
    ['a unique local address', 'https://[fd12::1]/', 'private'],
    ['nothing at all', 'https://0.0.0.0/', 'unspecified'],
    ['everybody', 'https://255.255.255.255/', 'reserved'],
    ['a group', 'https://[ff02::1]/', 'multicast'],
    ['a tunnel', 'https://[2001::1]/', 'reserved'],
    ['an old compatible address', 'https://[::127.0.0.1]/', 'no public address'],
  ])('is not called by %s', async (_, url, what) => {
    const failure = await failureOf(get(url.replace('PORT', String(receiver.port)), { allow: '' }))
    expect([failure.failure, failure.message]).toEqual(['refused', expect.stringContaining(what)])
    expect(receiver.calls).toEqual([])
  })

  it.each(['127.0.0.1', '::1', '::ffff:10.0.0.1', '169.254.169.254', 'fe80::1%lo', '0.0.0.0'])('is not called when a name leads to %s too', async (address) => {
    for (const addresses of [[address], ['127.9.9.9', address], ['93.184.215.14', address]]) {
      const failure = await failureOf(get(`http://both.test:${receiver.port}/`, { allow: '127.9.9.9,93.184.215.14', resolve: answers(...addresses) }))
      expect([failure.failure, failure.message]).toEqual(['refused', expect.stringContaining(`both.test leads to ${address}, which is`)])
    }
    expect(receiver.calls).toEqual([])
  })

  it('is one by http, by another scheme, and one with a password', async () => {
    const messages = await Promise.all(
      ['http://93.184.215.14/', 'http://example.com/', 'ftp://example.com/', 'file:///etc/passwd', 'nonsense', 'https://me:s3cret@example.com/'].map(
        async (url) => {
          const { failure, message } = await failureOf(get(url, { allow: '', resolve: answers('93.184.215.14') }))
          return `${failure}: ${message}`
        },
      ),
    )
    expect(messages).toEqual([
      expect.stringMatching(/^refused: 93.184.215.14 may only be called by https/),
      expect.stringMatching(/^refused: example.com may only be called by https/),
      expect.stringMatching(/^refused: the address is none of https/),
      expect.stringMatching(/^refused: the address is none of https/),
      expect.stringMatching(/^refused: the address is none of https/),
      expect.stringMatching(/^refused: the address has a user or password/),
    ])
    expect(messages.join()).not.toContain('s3cret')
  })

  it('is the metadata of a cloud, also by a name that is allowed', async () => {
    const failure = await failureOf(get('http://allowed.test/', { allow: 'allowed.test', resolve: answers('169.254.169.254') }))
    expect(failure.message).toContain('link-local')
  })

  it('is told before a call where no name server has to be asked', () => {
    const outgoing = open({ allow: 'prometheus.internal:9090,10.0.0.0/8' })
    const refused = [
      'http://127.0.0.1/',
      'https://u@example.com/',
      'gopher://example.com',
      'https://localhost/',
      'https://a.localhost./',
      'https://[::1]/',
    ].map((url) => outgoing.refusalOf(url) !== undefined)
    const fine = ['https://example.com/', 'http://prometheus.internal:9090/', 'http://10.1.2.3/', 'https://prometheus.internal/'].map((url) =>
      outgoing.refusalOf(url),
    )
    expect([refused, fine]).toEqual([
      [true, true, true, true, true, true],
      [undefined, undefined, undefined, undefined],
    ])
  })
})

describe('the machine’s own name', () => {
  it('is refused unless it, or an address that it stands for, is allowed', () => {
    const url = 'https://localhost:8080/'
    for (const allow of ['localhost', 'localhost:8080', '127.0.0.0/8', '::1']) expect(open({ allow }).refusalOf(url)).toBeUndefined()
    for (const allow of ['localhost:9090', '10.0.0.0/8', 'prometheus.internal'])
      expect(open({ allow }).refusalOf(url)).toBe(
        'localhost is this machine itself: not called; the server’s option --outgoing-allow names the places that may be called besides the public internet',
      )
  })
})

describe('what is allowed', () => {
  const isCalled = (allow: string, host: string, addresses: readonly string[] = ['127.0.0.1']) =>
    get(`http://${host}:${receiver.port}/`, { allow, resolve: answers(...addresses) }).then(
      () => true,
      () => false,
    )

  it('is a range or a name, with its port if it has one', async () => {
    const { port } = receiver
    expect([
      await isCalled('127.0.0.1', '127.0.0.1'),
      await isCalled(`127.0.0.1:${port}`, '127.0.0.1'),
      await isCalled(`receiver.test:${port}`, 'Receiver.Test'),
      await isCalled('10.0.0.0/8, receiver.test', 'receiver.test.'),
      await isCalled('127.0.0.0/8', 'receiver.test'),
    ]).toEqual([true, true, true, true, true])
    expect([
      await isCalled('127.0.0.1:9', '127.0.0.1'),
      await isCalled('receiver.test:9', 'receiver.test'),
      await isCalled('receiver.test', 'other.test'),
      await isCalled('receiver.test', '127.0.0.1'),
      await isCalled('10.0.0.0/8', 'receiver.test'),
    ]).toEqual([false, false, false, false, false])
  })

  it.each(['10.0.0.0/33', 'http://a', '300.1.1.1', 'a:0', 'a:70000', '-a', '::1:9:', '[::1', 'a b', '10.0.0.0/8:90'])('is not %s', (text) => {
    expect(() => parseAllowedTargets(text)).toThrow(/is no place to allow/)
  })
})

describe('an answer', () => {
  it('that is a redirect is not followed', async () => {
    await using other = await startTestReceiver()
    receiver.reply = (response) => void response.writeHead(302, { location: `${other.url}/s3cret` }).end()
    const failure = await failureOf(get(receiver.url))
    expect(failure).toMatchObject({ failure: 'redirected', status: 302, message: `the answer is a redirect (302) to ${other.url}, which is not followed` })
    receiver.reply = (response) => void response.writeHead(307, { location: 'file:///etc/passwd' }).end()
    expect((await failureOf(get(receiver.url))).message).toBe('the answer is a redirect (307), which is not followed')
    expect(other.calls).toEqual([])
  })

  it('of a gigabyte is not read', async () => {
    const gigabyte = 2 ** 30
    receiver.reply = (response) => void response.writeHead(200, { 'content-length': String(gigabyte) }).write('x')
    expect(await failureOf(get(receiver.url))).toMatchObject({ failure: 'too-large', status: 200 })
    let sent = 0
    const chunk = Buffer.alloc(64 * 1024)
    receiver.reply = (response) => {
      const more = (): void => {
        while (sent < gigabyte && !response.destroyed) {
          sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', more)
        }
      }
      more()
    }
    expect((await failureOf(get(receiver.url))).failure).toBe('too-large')
    expect(sent).toBeLessThan(64 * 2 ** 20)
  })

  it('is unpacked only up to the limit', async () => {
    receiver.reply = (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"small":true}'))
    expect((await get(receiver.url)).body.toString()).toBe('{"small":true}')
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20))
    expect(bomb.length).toBeLessThan(2 ** 20)
    receiver.reply = (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    expect((await failureOf(get(receiver.url))).failure).toBe('too-large')
    receiver.reply = (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip')
    expect((await failureOf(get(receiver.url))).message).toBe('the answer cannot be decompressed')
    receiver.reply = (response) => void response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end('x')
    expect((await failureOf(get(receiver.url))).failure).toBe('bad-answer')
  })

  it('that never ends, drips, or never begins is given up in time', async () => {
    await using silent = await startRawServer(() => {})
    await using dripping = await startRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx: ')
      const drip = setInterval(() => socket.write('a'), 10)
      socket.on('close', () => clearInterval(drip))
    })
    await using body = await startRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      const drip = setInterval(() => socket.write('1\r\na\r\n'), 10)
      socket.on('close', () => clearInterval(drip))
    })
    for (const { url } of [silent, dripping, body]) {
      const failure = await failureOf(get(url, { timeoutMs: 100 }))
      expect([failure.failure, failure.message]).toEqual(['timed-out', expect.stringMatching(/gave no whole answer within 0.1 seconds/)])
    }
    const slowNames = () => new Promise<never>(() => {})
    expect((await failureOf(get('https://slow.test/', { timeoutMs: 20, resolve: slowNames }))).failure).toBe('timed-out')
  })

  it('with endless headers is cut off', async () => {
    await using endless = await startRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const more = (): void => {
        while (!socket.destroyed && socket.write(`x: ${'y'.repeat(1000)}\r\n`)) if (socket.destroyed) return
        socket.once('drain', more)
      }
      more()
    })
    expect((await failureOf(get(endless.url))).message).toMatch(/headers that are too large/)
  })

  it('is not waited for when the caller gives up', async () => {
    await using silent = await startRawServer(() => {})
    const giveUp = new AbortController()
    const call = failureOf(open().send({ method: 'GET', url: silent.url, signal: giveUp.signal }))
    giveUp.abort()
    expect((await call).failure).toBe('cancelled')
    expect((await failureOf(open().send({ method: 'GET', url: silent.url, signal: giveUp.signal }))).failure).toBe('cancelled')
  })
})
