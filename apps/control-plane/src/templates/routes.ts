/** Templates over REST. They are part of the program, the same for everybody. */
import { templateRoutes } from '@drover/api'
import type { BindRoute } from '../http/bind-route.ts'
import { readTemplates } from './templates.ts'

export function bindTemplateRoutes(bind: BindRoute): void {
  bind(templateRoutes.listTemplates, () => ({ data: { items: [...readTemplates()] } }))
}
