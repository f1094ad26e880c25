import { describe, expect, it } from 'vitest'
import { createSigningSecret, signedHeaders } from './index.ts'

describe('a signature', () => {
  it('is the one of the example in the specification of Standard Webhooks', () => {
    const body = '{"test": 2432232314}'
    expect(signedHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', sentAt: 1_614_265_330_999, body })).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('is under a secret of its own', () => {
    expect(createSigningSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(createSigningSecret()).not.toBe(createSigningSecret())
  })
})
