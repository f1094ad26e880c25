/** A link that an API token made, and the session made from it, know their token, so that they end with it. */
import type { Migration } from './index.ts'

const columns = `
alter table sign_in_links add column token_id text;
alter table sessions add column token_id text;
`

export const sessionsOfTokens: Migration = { version: 2, up: (execute) => execute(columns) }
