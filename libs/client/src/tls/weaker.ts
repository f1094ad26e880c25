/** Whether a connection would be less protected than another. */
import type { ConnectionSettings, TlsSettings } from '../client.ts'
import { comparableCipherSuites } from './cipher-suites.ts'
import { isOlder, maxVersionOf, minVersionOf, versionName } from './tls-version.ts'

type Protected = Pick<ConnectionSettings, 'endpoint' | 'tls'>

/** A sentence when `candidate` protects less than `current`; loopback is no excuse. Without TLS nothing can become weaker. */
export function isWeaker(candidate: Protected, current: Protected): string | undefined {
  if (!usesTls(current.endpoint)) return undefined
  if (!usesTls(candidate.endpoint)) return 'the offered endpoint does without TLS, which the present connection has'
  return weakerVerification(candidate.tls, current.tls) ?? weakerCryptography(candidate.tls, current.tls)
}

/** Whether the scheme is `wss` or `https`. */
export const usesTls = (endpoint: string): boolean => /^(wss|https):/i.test(endpoint)

function weakerVerification(candidate: TlsSettings, current: TlsSettings): string | undefined {
  if (current.insecureSkipVerify === true) return undefined
  if (candidate.insecureSkipVerify === true) return "the offered settings switch off the verification of the Server's certificate"
  if (current.ca === undefined || current.includeSystemCa === true) return undefined
  if (candidate.ca === undefined || candidate.includeSystemCa === true)
    return "the offered settings trust all of the system's authorities, the present ones only the given ones"
  return undefined
}

function weakerCryptography(candidate: TlsSettings, current: TlsSettings): string | undefined {
  const [min, currentMin] = [minVersionOf(candidate), minVersionOf(current)]
  if (isOlder(min, currentMin)) return `the offered settings allow ${versionName(min)}, the present ones ${versionName(currentMin)} at least`
  const [max, currentMax] = [maxVersionOf(candidate), maxVersionOf(current)]
  if (isOlder(max, currentMax)) return `the offered settings allow ${versionName(max)} at most, the present ones ${versionName(currentMax)}`
  const suites = candidate.cipherSuites ?? []
  const broken = suites.find((suite) => /NULL|ANON|ADH|AECDH|EXP|RC4|DES|MD5|PSK|SRP/i.test(suite))
  if (broken !== undefined) return `the offered settings allow the cipher suite ${broken}, which protects too little`
  if (current.cipherSuites === undefined || current.cipherSuites.length === 0) return undefined
  const allowed = comparableCipherSuites(current.cipherSuites)
  if (suites.length === 0 || [...comparableCipherSuites(suites)].some((suite) => !allowed.has(suite)))
    return 'the offered settings allow cipher suites that the present ones exclude'
  return undefined
}
