/*
 * Runs before anything is drawn: sets the colour scheme that was chosen (else the system's), so that the page does not flash.
 * A file of its own because the Content-Security-Policy allows no inline script. The key is the one Mantine stores the choice under.
 */
;(() => {
  let chosen = null
  try {
    chosen = localStorage.getItem('mantine-color-scheme-value')
  } catch {
    // Storage is switched off: follow the system.
  }
  const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
  // zod probes for eval() unless told not to; the policy would report each probe as a violation.
  globalThis.__zod_globalConfig = { jitless: true }
})()
