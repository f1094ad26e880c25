/** Configurations of any shape, with keys that meet, and with every kind of value. */
import fc from 'fast-check'
import { stringify } from 'yaml'
import type { RemoteFile } from './stock-composition.ts'

/** What readers of YAML take for something else, or might; and what Collectors have. */
const words = [
  ...'a otlp true True yes no on off y n null ~ .inf -.inf nop x: #x - -x ?x : 0 007 0777 0x1F 0b11 1_000 1e3 1e400 E0 1.5 1.0 1:30 12:30:45'.split(' '),
  ...'12345678901234567890 5m 200ms 127.0.0.1:80 0.0.0.0 10% 5GiB localhost:4317 http://a/b?c=d&e ${env:X} $$x /var/*.log \\d+ é 世界 😀'.split(' '),
  ...[
    '',
    ' ',
    ' a',
    'a ',
    'x: y',
    'x #y',
    '- x',
    "it's",
    '"q"',
    '{a: b}',
    '[a]',
    'a, b',
    '*a',
    '&a',
    '!a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    '---',
    '<<',
    '=',
  ].values(),
  ...['two\nlines', 'ends\n', 'ends twice\n\n', 'a\n\n  b\n', 'tab\there', '\u00e9\u0301', 'a\u00a0b', '\\', '"', "'"].values(),
]
const text = fc.oneof(fc.constantFrom(...words), fc.stringMatching(/^[a-z0-9:. #'"&^$_/-]{0,10}$/))
const key = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('service', 'extensions', 'receivers', 'telemetry', 'otlp', 'otlp/2', 'endpoint', 'host.name') },
  { weight: 1, arbitrary: fc.constantFrom('a b', 'x: y', '#k', '', '8080', 'yes', '${env:K}', '__proto__', 'constructor') },
)
const scalar = fc.oneof(text, fc.boolean(), fc.integer(), fc.double({ noNaN: true }), fc.constant(null))
const component = fc.constantFrom('opamp', 'health_check', 'zpages', 'pprof', 'health_check/2', '${env:E}', '')

type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain }

const value = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value
const map = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true })

/** Extension lists that overlap, sometimes something that is no list. */
const withExtensions = fc
  .record({ rest: map, extensions: fc.oneof({ weight: 6, arbitrary: fc.array(component, { maxLength: 4 }) }, { weight: 1, arbitrary: scalar }) })
  .map(({ rest, extensions }) => {
    const service = rest['service']
    return { ...rest, service: { ...(typeof service === 'object' && service !== null && !Array.isArray(service) ? service : {}), extensions } }
  })

/** Lists of `service.extensions` with a list or map in them end the stock supervisor with a panic. */
function hasOddExtensions(document: { readonly [key: string]: Plain }): boolean {
  const service = document['service']
  const extensions = typeof service === 'object' && service !== null && !Array.isArray(service) ? service['extensions'] : undefined
  return Array.isArray(extensions) && extensions.some((item) => typeof item === 'object' && item !== null)
}

const document = fc.oneof(map, withExtensions).filter((one) => !hasOddExtensions(one))
const body = fc
  .tuple(document, fc.constantFrom(2, 4), fc.boolean())
  .map(([content, indent, indentSeq]) => stringify(content, { indent, indentSeq, lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' }))
const name = fc.oneof(fc.constantFrom('', 'a', 'b', 'B', 'a.yaml', '10', '9', 'ns/name', '～', '😀', '__proto__'), fc.stringMatching(/^[a-z]{1,3}$/))

/** What a Server may offer: several files with different names. */
export const offeredFiles: fc.Arbitrary<RemoteFile[]> = fc.uniqueArray(fc.record({ name, body }), { minLength: 1, maxLength: 4, selector: (file) => file.name })
