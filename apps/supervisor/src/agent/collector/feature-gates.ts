/** What a Collector says of its feature gates. */

export const allowNoPipelines = 'service.AllowNoPipelines'

/** `output`: of `<collector> featuregate`: a table whose first column is the name, below a headline. */
export function knowsFeatureGate(output: string, gate: string): boolean {
  return output.split('\n').some((line) => /^\S+/.exec(line)?.[0] === gate)
}
