/** A selector with completion from the attributes that agents have. */
import { Combobox, TextInput, useCombobox } from '@mantine/core'
import { IconFilter } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, useMemo, useRef, useState } from 'react'
import { attributeKeysQuery } from '../api/queries.ts'
import { completeSelector, factKeys } from './selector-completion.ts'
import { visibleText } from './visible-text.ts'

interface Props {
  readonly label: string
  readonly hideLabel?: boolean
  readonly description?: string
  readonly placeholder?: string
  readonly value: string
  /** Each keystroke. */
  readonly onType?: (value: string) => void
  /** Enter, a chosen completion that ends a condition, or leaving the field. */
  readonly onCommit?: (value: string | undefined) => void
  readonly error?: string | undefined
  /** Offer `drover.…` facts as well, which only filters know. */
  readonly facts?: boolean
  readonly required?: boolean
}

export function SelectorInput(props: Props) {
  const { onType, onCommit } = props
  const [text, setText] = useState(props.value)
  const [caret, setCaret] = useState(props.value.length)
  const field = useRef<HTMLInputElement>(null)
  const [given, setGiven] = useState(props.value)
  if (given !== props.value) {
    setGiven(props.value)
    setText(props.value)
  }
  const attributes = useQuery(attributeKeysQuery)
  const keys = useMemo(() => [...(attributes.data ?? []), ...(props.facts ? factKeys : [])], [attributes.data, props.facts])
  const completion = useMemo(() => completeSelector(text, caret, keys), [text, caret, keys])
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() })
  const type = (next: string, at: number) => {
    setText(next)
    setCaret(at)
    onType?.(next)
  }
  const commit = () => {
    if (text.trim() !== props.value.trim()) onCommit?.(text.trim() === '' ? undefined : text.trim())
  }
  const choose = (insert: string) => {
    const next = text.slice(0, completion.from) + insert + text.slice(caret)
    const at = completion.from + insert.length
    type(next, at)
    combobox.resetSelectedOption()
    requestAnimationFrame(() => field.current?.setSelectionRange(at, at))
  }
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key !== 'Enter') return
    // With an option chosen, the combobox takes Enter.
    if (combobox.dropdownOpened && combobox.getSelectedOptionIndex() !== -1) return
    event.preventDefault()
    combobox.closeDropdown()
    commit()
  }
  return (
    <Combobox store={combobox} onOptionSubmit={choose} withinPortal>
      <Combobox.Target>
        <TextInput
          ref={field}
          label={props.hideLabel ? undefined : props.label}
          aria-label={props.hideLabel ? props.label : undefined}
          description={props.description}
          placeholder={props.placeholder}
          required={props.required ?? false}
          error={props.error}
          leftSection={<IconFilter size={14} aria-hidden />}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.75rem' } }}
          value={text}
          spellCheck={false}
          autoComplete="off"
          maxLength={4096}
          onChange={(event) => {
            type(event.currentTarget.value, event.currentTarget.selectionStart ?? event.currentTarget.value.length)
            combobox.openDropdown()
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onClick={() => combobox.openDropdown()}
          onFocus={() => combobox.openDropdown()}
          onBlur={() => {
            combobox.closeDropdown()
            commit()
          }}
          onKeyDown={onKeyDown}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={completion.options.length === 0}>
        <Combobox.Options aria-label="Completions" mah={260} style={{ overflowY: 'auto' }}>
          {completion.options.map((option) => (
            <Combobox.Option key={option.insert} value={option.insert}>
              <span style={{ display: 'flex', gap: 16, justifyContent: 'space-between' }}>
                <span className="mono truncate">{visibleText(option.label)}</span>
                <span className="dimmed nowrap">{option.detail}</span>
              </span>
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}
