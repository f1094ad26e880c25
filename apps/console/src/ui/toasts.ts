/** Short messages about what was done; Mantine puts them into a live region. */
import { notifications } from '@mantine/notifications'
import { describeError } from '../api/client.ts'

export function toastDone(message: string): void {
  notifications.show({ message, color: 'teal', autoClose: 5_000, role: 'status' })
}

export function toastFailed(title: string, error: unknown): void {
  notifications.show({ title, message: describeError(error).detail, color: 'red', autoClose: 12_000, role: 'alert' })
}
