/** Copies a text and says so, also to a screen reader. */
import { ActionIcon, Button, Tooltip, VisuallyHidden } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { copyText } from './copy.ts'

const SHOWN_MS = 2_000

export function CopyButton({ text, label, withText = false }: { readonly text: string; readonly label: string; readonly withText?: boolean }) {
  const [result, setResult] = useState<'copied' | 'refused'>()
  useEffect(() => {
    if (result === undefined) return
    const timer = setTimeout(() => setResult(undefined), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [result])
  const copy = () => void copyText(text).then((copied) => setResult(copied ? 'copied' : 'refused'))
  const icon = result === 'copied' ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />
  const said = result === 'copied' ? 'Copied' : result === 'refused' ? 'The browser refused to copy' : ''
  return (
    <>
      {withText ? (
        <Button variant="default" leftSection={icon} onClick={copy}>
          {result === undefined ? label : said}
        </Button>
      ) : (
        <Tooltip label={result === undefined ? label : said}>
          <ActionIcon aria-label={label} onClick={copy} size={20} style={{ verticalAlign: -4 }}>
            {icon}
          </ActionIcon>
        </Tooltip>
      )}
      <VisuallyHidden component="output">{said}</VisuallyHidden>
    </>
  )
}
