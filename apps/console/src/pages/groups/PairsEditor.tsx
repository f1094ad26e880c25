/** Names with values, line by line. */
import { ActionIcon, Button, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { type PairDraft, pairErrors } from './group-form.ts'

interface Props {
  /** What one line is, e.g. `variable`. */
  readonly what: string
  readonly pairs: readonly PairDraft[]
  readonly onChange: (pairs: readonly PairDraft[]) => void
  readonly nameError: (name: string) => string | undefined
  readonly placeholders?: { readonly name: string; readonly value: string }
}

export function PairsEditor({ what, pairs, onChange, nameError, placeholders }: Props) {
  const errors = pairErrors(pairs, nameError)
  const change = (index: number, part: Partial<PairDraft>) => onChange(pairs.map((pair, at) => (at === index ? { ...pair, ...part } : pair)))
  return (
    <div className="pairs">
      {pairs.map((pair, index) => (
        <div key={index} className="pair">
          <TextInput
            aria-label={`Name of ${what} ${index + 1}`}
            placeholder={placeholders?.name ?? 'name'}
            value={pair.name}
            onChange={(event) => change(index, { name: event.currentTarget.value.trim() })}
            // An empty line is one that somebody has just begun.
            error={pair.name === '' && pair.value === '' ? undefined : errors[index]}
            spellCheck={false}
            maxLength={64}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          />
          <TextInput
            aria-label={`Value of ${what} ${pair.name === '' ? index + 1 : pair.name}`}
            placeholder={placeholders?.value ?? 'value'}
            value={pair.value}
            onChange={(event) => change(index, { value: event.currentTarget.value })}
            spellCheck={false}
            maxLength={4096}
          />
          <ActionIcon aria-label={`Remove ${what} ${pair.name === '' ? index + 1 : pair.name}`} onClick={() => onChange(pairs.filter((_, at) => at !== index))}>
            <IconX size={14} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <div>
        <Button variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => onChange([...pairs, { name: '', value: '' }])}>
          Add a {what}
        </Button>
      </div>
    </div>
  )
}
