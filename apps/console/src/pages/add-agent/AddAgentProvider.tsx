/** Lets any page open the add-agent dialog, which is loaded when it is first needed. */
import { type ReactNode, Suspense, createContext, lazy, use, useCallback, useState } from 'react'

const AddAgentDialog = lazy(async () => ({ default: (await import('./AddAgentDialog.tsx')).AddAgentDialog }))

const OpenContext = createContext<() => void>(() => undefined)

export const useAddAgent = (): (() => void) => use(OpenContext)

export function AddAgentProvider({ children }: { readonly children: ReactNode }) {
  const [opened, setOpened] = useState(0)
  const [shown, setShown] = useState(false)
  const open = useCallback(() => {
    setOpened((count) => count + 1)
    setShown(true)
  }, [])
  return (
    <OpenContext value={open}>
      {children}
      {opened > 0 && (
        <Suspense>
          {/* A new key for each opening: a fresh form and a fresh idempotency key. */}
          <AddAgentDialog key={opened} opened={shown} onClose={() => setShown(false)} />
        </Suspense>
      )}
    </OpenContext>
  )
}
