/** Asks before work that was not saved is left behind. */
import { useBlocker } from '@tanstack/react-router'

export function useLeaveWarning(unsaved: boolean): void {
  useBlocker({
    shouldBlockFn: ({ current, next }) => unsaved && current.pathname !== next.pathname && !window.confirm('What you wrote is not saved. Leave anyway?'),
    enableBeforeUnload: unsaved,
  })
}
