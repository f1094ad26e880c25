/** What is pasted and printed, for each way of listening. */
import { describe, expect, it } from 'vitest'
import { agentsEndpoint, agentsOrigin, consoleOrigin, signInUrl } from './endpoints.ts'

describe('agentsEndpoint', () => {
  const at = (host: string, url?: string) => agentsEndpoint({ agentsUrl: url === undefined ? null : new URL(url) }, { host, port: 4320 })

  it('is where the server listens, over loopback when that is everywhere', () => {
    expect(at('127.0.0.1')).toBe('ws://127.0.0.1:4320/v1/opamp')
    expect(at('::')).toBe('ws://127.0.0.1:4320/v1/opamp')
    expect(at('::1')).toBe('ws://[::1]:4320/v1/opamp')
    expect(at('10.0.0.5')).toBe('ws://10.0.0.5:4320/v1/opamp')
  })

  it('is what the configuration says, as a WebSocket address with the path', () => {
    expect(at('::', 'https://drover.example.com')).toBe('wss://drover.example.com/v1/opamp')
    expect(at('::', 'http://proxy:8080/agents/v1/opamp')).toBe('ws://proxy:8080/agents/v1/opamp')
    expect(at('::', 'wss://drover.example.com:443/v1/opamp')).toBe('wss://drover.example.com/v1/opamp')
  })
})

describe('agentsOrigin', () => {
  const at = (url: string | null) => agentsOrigin({ agentsUrl: url === null ? null : new URL(url) }, { host: '0.0.0.0', port: 4320 })

  it('is where agents send what is not OpAMP, behind a proxy below the same path', () => {
    expect(at(null)).toBe('http://127.0.0.1:4320')
    expect(at('https://drover.example.com')).toBe('https://drover.example.com')
    expect(at('wss://proxy:8443/agents/v1/opamp')).toBe('https://proxy:8443/agents')
    expect(at('http://proxy/opamp-of-drover')).toBe('http://proxy')
  })
})

describe('consoleOrigin', () => {
  it('has no slash at the end, so that the sign-in link has one', () => {
    expect(consoleOrigin({ consoleUrl: new URL('https://drover.example.com/') }, { host: '::', port: 1 })).toBe('https://drover.example.com')
    expect(signInUrl(consoleOrigin({ consoleUrl: null }, { host: '0.0.0.0', port: 4321 }), 'c')).toBe('http://127.0.0.1:4321/sign-in#code=c')
  })
})
