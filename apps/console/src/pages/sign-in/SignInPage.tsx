/** Signs in with the one-time link that the server prints; says what to run when there is none or it was used. */
import { ApiError } from '@drover/api'
import { Button, Code, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { api, rememberCsrfToken } from '../../api/client.ts'
import { sessionQuery } from '../../api/queries.ts'
import { CodeBlock } from '../../ui/CodeBlock.tsx'
import { ErrorState } from '../../ui/ErrorState.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { codeFromAddress, codeFromPasted, safeNext } from './sign-in-link.ts'

// Read once, when the page is loaded, and taken out of the address bar and the history at the same time: it works only once.
let codeOfLink = takeCodeFromAddress()

function takeCodeFromAddress(): string | undefined {
  const { pathname, search, hash } = window.location
  const code = pathname === '/sign-in' ? codeFromAddress(search, hash) : undefined
  if (code !== undefined) window.history.replaceState(window.history.state, '', '/sign-in')
  return code
}

export function SignInPage() {
  const { ended, next } = useSearch({ from: '/sign-in' })
  const client = useQueryClient()
  const router = useRouter()
  const [pasted, setPasted] = useState('')
  const signIn = useMutation({
    mutationFn: async (code: string) => (await api.createSession({ body: { code } })).data,
    onSuccess: (session) => {
      rememberCsrfToken(session.csrfToken)
      client.clear()
      client.setQueryData(sessionQuery.queryKey, session)
      void router.navigate({ href: safeNext(next), replace: true })
    },
  })
  const { mutate } = signIn
  useEffect(() => {
    document.title = 'Sign in · Drover'
    const code = codeOfLink
    codeOfLink = undefined
    if (code !== undefined) mutate(code)
    // A link that is opened while this page is shown changes the hash alone, and loads nothing.
    const onHashChange = () => {
      const pastedIntoAddressBar = takeCodeFromAddress()
      if (pastedIntoAddressBar !== undefined) mutate(pastedIntoAddressBar)
    }
    window.addEventListener('hashchange', onHashChange)
    return () => window.removeEventListener('hashchange', onHashChange)
  }, [mutate])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const code = codeFromPasted(pasted)
    if (code !== undefined) mutate(code)
  }
  return (
    <main style={{ maxWidth: 460, margin: '12vh auto 40px', padding: '0 16px' }} className="stack">
      <div className="row">
        <img src="/drover.svg" width={32} height={32} alt="" />
        <h1>{signIn.isPending ? 'Signing in…' : 'Sign in to Drover'}</h1>
      </div>
      {ended !== undefined && signIn.isIdle && (
        <Notice tone="warn" title="Your session has ended">
          Sign in again to go on where you were.
        </Notice>
      )}
      {signIn.isError && <Refusal error={signIn.error} />}
      {!signIn.isPending && (
        <section className="panel">
          <div className="panel-body stack">
            <p>Sign-in links work once. On the machine where the server runs, print a new one:</p>
            <CodeBlock text="drover console" label="command" />
            <p className="dimmed">
              From a checkout it is <Code>./bin/drover console</Code>. Open the link it prints in this browser, or paste it here:
            </p>
            <form onSubmit={submit} className="stack">
              <TextInput
                label="Link or code"
                value={pasted}
                onChange={(event) => setPasted(event.currentTarget.value)}
                autoComplete="off"
                spellCheck={false}
                placeholder="http://127.0.0.1:4321/sign-in#code=…"
              />
              <Button type="submit" disabled={codeFromPasted(pasted) === undefined}>
                Sign in
              </Button>
            </form>
          </div>
        </section>
      )}
    </main>
  )
}

function Refusal({ error }: { readonly error: unknown }) {
  if (!(error instanceof ApiError) || error.problem.status >= 500 || error.problem.status === 429) return <ErrorState error={error} />
  return (
    <Notice tone="bad" title="This link cannot be used" urgent>
      <span>It was used before, has expired, or is not complete: {error.problem.detail}</span>
    </Notice>
  )
}
