/** Characters that a YAML text cannot have as they are, only as escapes in double quotes. */

/** Go's YAML readers refuse the control characters and what is no character, and take the separators for line ends, so an Agent would fail on them. */
export const unprintable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/

const inQuotes = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

/** For text between double quotes in which the characters below a space are escapes already. A byte order mark, too, is better seen. */
export function escapeUnprintable(quoted: string): string {
  return quoted.replace(inQuotes, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
