/** `/healthz`, `/readyz` and `/metrics`: for the machines that watch the server; they hold no secrets and need no token. */
import type { Registry } from '@prometheus-io/client'
import type { FastifyInstance } from 'fastify'

export interface ProbeOptions {
  readonly metrics: Registry
  /** Why the server should get no traffic; undefined when it should. */
  readonly notReadyBecause: () => string | undefined
}

export function bindProbes(app: FastifyInstance, { metrics, notReadyBecause }: ProbeOptions): void {
  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    const reason = notReadyBecause()
    return reply
      .code(reason === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${reason ?? 'ok'}\n`)
  })
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()))
}
