/** `drover supervisor check`: what a supervisor would do with a file. */
import type { ConfigFinding, Explanation } from '@drover/supervisor'
import { localCommand } from '../../command/command.ts'
import { outputOption } from '../../command/output-option.ts'
import { CliError } from '../../errors.ts'
import { Output } from '../../output/format.ts'
import { configOption, findingLine, requireConfig, summaryOf } from './config-option.ts'

export const checkCommand = localCommand({
  name: 'check',
  description: 'Explain what a supervisor would do with a file, and what is wrong with it',
  args: {},
  options: { config: configOption, ...outputOption },
  examples: [
    { run: 'supervisor check --config supervisor.yaml', what: 'before the stock supervisor is replaced' },
    { run: 'supervisor check --config supervisor.yaml -o json', what: 'for a script: valid, findings, sections, differences' },
  ],
  async run(io, _args, { config, output: format = 'table' }) {
    const file = requireConfig(config)
    const { SupervisorConfigError, explainConfig, loadSupervisorConfig } = await import('@drover/supervisor')
    const output = new Output(io, format)
    const lines = (findings: readonly ConfigFinding[]) => findings.map((finding) => findingLine(file, finding, output.paint)).join('')
    try {
      const explanation = explainConfig(loadSupervisorConfig(file, io.env))
      output.result({ valid: true, findings: explanation.notes, ...forPrograms(explanation) }, () => explanationText(explanation, output, lines))
    } catch (error) {
      if (!(error instanceof SupervisorConfigError)) throw error
      output.result({ valid: false, findings: error.findings }, () => lines(error.findings))
      throw new CliError(summaryOf(file, error.findings), { cause: error })
    }
  },
})

function forPrograms({ sections, differences }: Explanation) {
  return { sections: sections.map(({ title, facts }) => ({ title, facts: facts.map(([name, value]) => ({ name, value })) })), differences }
}

function explanationText({ sections, differences, notes }: Explanation, output: Output, lines: (findings: readonly ConfigFinding[]) => string): string {
  const parts = sections.map(({ title, facts }) => `${output.paint('bold', title)}\n${output.facts(facts)}`)
  parts.push(`${output.paint('bold', 'Other than the stock supervisor')}\n${differences.map((difference) => `- ${difference}\n`).join('')}`)
  if (notes.length > 0) parts.push(`${output.paint('bold', 'Notes')}\n${lines(notes)}`)
  return parts.join('\n')
}
