/** A process for tests: reaches a URL with settings and says how it went. The environment decides whom the system trusts. */
import { get } from 'node:https'
import type { TlsSettings } from '../client.ts'
import { explainConnectError } from '../tls/explain.ts'
import { createConnector } from './connector.ts'

const [endpoint = '', settings = '{}'] = process.argv.slice(2)
const tls = JSON.parse(settings) as TlsSettings
const connector = createConnector({ endpoint, tls, proxy: { kind: 'none' } }, {})
get(endpoint, connector.reach(new URL(endpoint)), (response) => {
  response.resume()
  process.stdout.write(`status ${response.statusCode}\n`)
  connector.close()
}).on('error', (error) => process.stdout.write(`${explainConnectError(error, { endpoint, tls })}\n`))
