/** Gates of rollouts: evidence in, verdicts out. */
export { createJudge } from './judge.ts'
export { createPlanCheck } from './plan-check.ts'
export type { JudgeOptions } from './judge.ts'
