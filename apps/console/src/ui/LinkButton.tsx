/** A link that looks like a button: it goes somewhere, so it is a link. */
import { Button, type ButtonProps } from '@mantine/core'
import { type LinkComponent, createLink } from '@tanstack/react-router'
import type { AnchorHTMLAttributes, Ref } from 'react'

interface AnchorButtonProps extends Omit<ButtonProps, 'href'>, Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof ButtonProps> {
  readonly ref?: Ref<HTMLAnchorElement>
}

function AnchorButton(props: AnchorButtonProps) {
  return <Button {...props} component="a" />
}

const Created = createLink(AnchorButton)

export const LinkButton: LinkComponent<typeof AnchorButton> = (props) => <Created preload="intent" {...props} />
