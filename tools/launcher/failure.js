/** Turns what can go wrong before the program runs into one sentence that says what to do. */

/** Something the person at the keyboard can put right; printed as one sentence, without a stack. */
export class LaunchFailure extends Error {
  /** @override */
  name = 'LaunchFailure'
}

/** @typedef {{ root: string, registry: string, step: string }} FailureContext */

/** The first matching row explains the failure. @type {ReadonlyArray<readonly [RegExp, (context: FailureContext) => string]>} */
const npmCauses = [
  [
    /\bENOSPC\b|no space left/i,
    ({ root }) => `The disk is full: free about 1 GB on the file system of ${root} (and of npm's cache), then run the same command again.`,
  ],
  [/\bEDQUOT\b/, ({ root }) => `The disk quota is used up: free about 1 GB for ${root}, then run the same command again.`],
  [
    /\b(EACCES|EPERM|EROFS)\b/,
    ({ root }) =>
      `${root} or npm's cache (npm config get cache) is not writable for this user: correct the owner or the permissions, then run the same command again.`,
  ],
  [
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|EPIPE|ENOTCACHED|ERR_SOCKET_TIMEOUT|ETIMEDOUT|FETCH_ERROR|UND_ERR_\w+)\b|socket hang up|network timeout|request to \S+ failed/i,
    ({ registry, step }) =>
      `${step} needs the npm registry ${registry}, which does not answer: check the network, proxy or registry (npm config get registry), then run the same command again.`,
  ],
  [
    /\b(CERT_\w+|UNABLE_TO_\w+|SELF_SIGNED_\w+|DEPTH_ZERO_\w+)\b/,
    ({ registry }) =>
      `The certificate of the npm registry ${registry} is not trusted: set npm's cafile or NODE_EXTRA_CA_CERTS, then run the same command again.`,
  ],
  [
    /\bEINTEGRITY\b/,
    () =>
      'A downloaded package is not the one that package-lock.json pins: empty the cache with "npm cache clean --force" and try again; if it stays, do not trust that registry.',
  ],
  [
    /\bE(401|403)\b/,
    ({ registry }) =>
      `The npm registry ${registry} refuses this user: log in to it or choose another one (npm config set registry), then run the same command again.`,
  ],
  [
    /\b(E404|ETARGET|ENOVERSIONS)\b/,
    ({ registry }) =>
      `The npm registry ${registry} lacks a package that package-lock.json pins: choose a complete registry (npm config set registry), then run the same command again.`,
  ],
  [/\bE5\d\d\b/, ({ registry }) => `The npm registry ${registry} fails at the moment: try again later.`],
  [/\bEUSAGE\b|can only install packages when/i, () => 'package.json and package-lock.json do not agree: run "npm install" and commit package-lock.json.'],
]

/**
 * Why npm failed, from what it printed.
 * @param {string} output
 * @param {FailureContext & { logFile: string }} context
 */
export function explainNpm(output, context) {
  for (const [pattern, explain] of npmCauses) if (pattern.test(output)) return explain(context)
  return `${context.step} failed: what npm said is in ${context.logFile}.`
}

/**
 * Why a file operation of our own failed.
 * @param {unknown} error
 * @param {string} root
 */
export function explainSystem(error, root) {
  const { code, path } = /** @type {NodeJS.ErrnoException} */ (error)
  if (code === undefined) return undefined
  const place = path ?? root
  if (code === 'ENOSPC') return `The disk is full: free about 1 GB on the file system of ${root}, then run the same command again.`
  if (code === 'EDQUOT') return `The disk quota is used up: free about 1 GB for ${root}, then run the same command again.`
  if (code === 'EACCES' || code === 'EPERM')
    return `${place} is not writable for this user: correct the owner or the permissions, then run the same command again.`
  if (code === 'EROFS') return `${place} is on a read-only file system: use a checkout that is writable.`
  return undefined
}
