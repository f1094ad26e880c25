/** Copies text. The clipboard API is missing on plain-HTTP pages other than localhost, where a hidden text field does it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const field = document.createElement('textarea')
    field.value = text
    field.style.position = 'fixed'
    field.style.opacity = '0'
    // Inside an open dialog, so that its focus trap does not take the focus back.
    const parent = document.querySelector('[role="dialog"]') ?? document.body
    parent.append(field)
    field.select()
    const copied = document.execCommand('copy')
    field.remove()
    return copied
  }
}
