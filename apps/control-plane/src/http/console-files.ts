/** Serves the built console: hashed assets for ever, `index.html` for every address that a page may have. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import { API_PREFIX } from '@drover/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { NotFoundError } from './errors.ts'

const NOT_BUILT = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Drover</title></head><body>
<h1>The console is not built</h1>
<p>The server runs, and so do its <a href="${API_PREFIX}/openapi.json">API</a> and the <code>drover</code> command. To get the console, start the
server with <code>npm start</code>, or run <code>npm run build -w apps/console</code> and reload this page.</p>
</body></html>
`

const YEAR_SECONDS = 365 * 24 * 60 * 60

/** `dir` is the folder with `index.html`; a missing one gives a page that says how to build it. Call it after everything else is bound. */
export async function bindConsoleFiles(app: FastifyInstance, dir: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: dir,
    serve: false,
    suppressWarning: true,
    dotfiles: 'deny',
    index: false,
  })
  app.get('/assets/*', async (request: FastifyRequest<{ Params: { '*': string } }>, reply) => {
    const file = `assets/${request.params['*']}`
    if (/(^|\/)\./.test(file) || !isFile(join(dir, file))) throw new NotFoundError('file', `/${file}`)
    return reply.sendFile(file, dir, { maxAge: YEAR_SECONDS * 1000, immutable: true })
  })
  app.setNotFoundHandler(async (request, reply) => answerUnknown(dir, request, reply))
}

async function answerUnknown(dir: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = request.url.split('?')[0] ?? '/'
  const isPage = (request.method === 'GET' || request.method === 'HEAD') && !path.startsWith('/api/') && path !== '/api'
  if (!isPage) throw new NotFoundError('address', `${request.method} ${path.slice(0, 200)}`)
  // Files beside index.html, such as the icon; anything without an extension is a page of the console.
  if (/^\/[\w-]+\.[a-z0-9]+$/.test(path) && isFile(join(dir, path))) return reply.sendFile(path.slice(1), dir, { maxAge: 0 })
  if (/\.[a-z0-9]{2,5}$/.test(path) && path.startsWith('/assets/')) throw new NotFoundError('file', path.slice(0, 200))
  if (!existsSync(join(dir, 'index.html'))) return reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT)
  return reply.header('cache-control', 'no-cache').sendFile('index.html', dir, { cacheControl: false })
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    // No such file, or no name that a file could have.
    return false
  }
}
