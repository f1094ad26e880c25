/** Who is signed in, the colour scheme, a link for another browser, sign-out. */
import { ActionIcon, Menu, useMantineColorScheme } from '@mantine/core'
import { IconDeviceDesktop, IconLink, IconLogout, IconMoon, IconSun, IconUserCircle } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { api, rememberCsrfToken } from '../api/client.ts'
import { sessionQuery } from '../api/queries.ts'
import { CodeBlock } from '../ui/CodeBlock.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { RelativeTime } from '../ui/RelativeTime.tsx'
import { toastFailed } from '../ui/toasts.ts'

const schemes = [
  { value: 'auto', label: 'As the system', Icon: IconDeviceDesktop },
  { value: 'light', label: 'Light', Icon: IconSun },
  { value: 'dark', label: 'Dark', Icon: IconMoon },
] as const

export function UserMenu() {
  const client = useQueryClient()
  const navigate = useNavigate()
  const session = useQuery(sessionQuery)
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const link = useMutation({
    mutationFn: async () => (await api.createSignInLink({})).data,
    onError: (error) => toastFailed('No sign-in link was made', error),
  })
  const signOut = useMutation({
    mutationFn: () => api.deleteSession({}),
    onSuccess: async () => {
      rememberCsrfToken(undefined)
      await navigate({ to: '/sign-in' })
      client.clear()
    },
    onError: (error) => toastFailed('Not signed out', error),
  })
  return (
    <>
      <Menu width={230}>
        <Menu.Target>
          <ActionIcon aria-label="Account and appearance">
            <IconUserCircle size={19} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {session.data?.name ?? 'Signed in'} ({session.data?.access === 'read' ? 'may read' : 'may change things'})
          </Menu.Label>
          {session.data?.access === 'write' && (
            <Menu.Item leftSection={<IconLink size={15} aria-hidden />} onClick={() => link.mutate()}>
              Sign-in link for another browser
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconLogout size={15} aria-hidden />} onClick={() => signOut.mutate()}>
            Sign out
          </Menu.Item>
          <Menu.Divider />
          <Menu.Label>Colours</Menu.Label>
          {schemes.map(({ value, label, Icon }) => (
            <Menu.Item
              key={value}
              leftSection={<Icon size={15} aria-hidden />}
              onClick={() => setColorScheme(value)}
              aria-current={colorScheme === value || undefined}
              rightSection={colorScheme === value ? '✓' : undefined}
            >
              {label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Dialog opened={link.data !== undefined} onClose={link.reset} title="Sign-in link for another browser" size="lg">
        {link.data !== undefined && (
          <div className="stack">
            <p>
              It works once and expires <RelativeTime at={link.data.expiresAt} />. Whoever opens it is signed in with your rights.
            </p>
            <CodeBlock text={link.data.url} label="sign-in link" />
          </div>
        )}
      </Dialog>
    </>
  )
}
