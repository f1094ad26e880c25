/** Configurations to begin from, each checked with a real Collector. */
import type { Template } from '@drover/api'
import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { IconTemplate } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useId, useState } from 'react'
import { secretListQuery, templateListQuery } from '../../api/settings-queries.ts'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LinkButton } from '../../ui/LinkButton.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { joinFiles } from '../../ui/editor/comparable-yaml.ts'
import { ReadOnlyYaml } from '../../ui/editor/lazy.tsx'
import { type Category, categoriesOf, categoryTitles, missingSecrets, searchTemplates } from './needs.ts'
import './templates.css'

export function TemplatesPage() {
  const query = useQuery(templateListQuery)
  const [category, setCategory] = useState<Category | 'all'>('all')
  const [search, setSearch] = useState('')
  return (
    <>
      <PageHeader
        title="Templates"
        below={<span className="dimmed">Configurations to begin from. Each was run by a real Collector.</span>}
        actions={
          <LinkButton to="/create/config" variant="default">
            Begin with an empty one
          </LinkButton>
        }
      />
      <QueryView query={query}>
        {(templates) => {
          const found = searchTemplates(templates, search).filter((template) => category === 'all' || template.category === category)
          return (
            <div className="stack">
              <div className="row">
                <SegmentedControl
                  aria-label="Category"
                  className="template-categories"
                  value={category}
                  onChange={(value) => setCategory(value as Category | 'all')} // as: the values are those below
                  data={[{ value: 'all', label: 'All' }, ...categoriesOf(templates).map((value) => ({ value, label: categoryTitles[value] }))]}
                />
                <TextInput
                  aria-label="Search templates"
                  placeholder="Search templates"
                  value={search}
                  onChange={(event) => setSearch(event.currentTarget.value)}
                  w={220}
                />
              </div>
              {found.length === 0 ? (
                <div className="panel">
                  <EmptyState title="No such template" icon={<IconTemplate size={28} stroke={1.4} aria-hidden />}>
                    Search for a component, such as <code>otlp</code>, or choose another category.
                  </EmptyState>
                </div>
              ) : (
                <ul className="template-gallery">
                  {found.map((template) => (
                    <li key={template.name}>
                      <Card template={template} />
                    </li>
                  ))}
                </ul>
              )}
            </div>
          )
        }}
      </QueryView>
    </>
  )
}

function Card({ template }: { readonly template: Template }) {
  const [opened, setOpened] = useState(false)
  const titleId = useId()
  const textId = useId()
  return (
    <section className="panel template-card" aria-labelledby={titleId}>
      <div className="template-head">
        <h2 id={titleId}>{template.title}</h2>
        <span className="chip">{categoryTitles[template.category]}</span>
        {template.fragment && (
          <span className="chip" title="It leans on another config of the same agents">
            fragment
          </span>
        )}
      </div>
      <p className="dimmed">{template.description}</p>
      <Needs template={template} />
      <p className="template-components">
        {template.components.map(({ kind, type }) => (
          <code key={`${kind} ${type}`} title={kind}>
            {type}
          </code>
        ))}
      </p>
      <div className="template-actions">
        <LinkButton to="/create/config" search={{ template: template.name }} aria-label={`Use ${template.title}`}>
          Use
        </LinkButton>
        <Button
          variant="default"
          aria-expanded={opened}
          aria-controls={textId}
          aria-label={`${opened ? 'Hide' : 'Show'} the text of ${template.title}`}
          onClick={() => setOpened(!opened)}
        >
          {opened ? 'Hide the text' : 'Show the text'}
        </Button>
      </div>
      <div id={textId}>{opened && <ReadOnlyYaml label={`Text of ${template.title}`} text={joinFiles(template.files)} />}</div>
    </section>
  )
}

function Needs({ template }: { readonly template: Template }) {
  const secrets = useQuery(secretListQuery)
  if (template.variables.length + template.secrets.length === 0) return <p>Works as it is.</p>
  const missing = missingSecrets(template, secrets.data?.items.map(({ name }) => name) ?? template.secrets.map(({ name }) => name))
  return (
    <div>
      <h3>It needs</h3>
      <ul className="template-needs">
        {template.variables.map(({ name, description, example }) => (
          <li key={name}>
            <code>{name}</code> <span className="dimmed">variable of the group:</span> {description}
            {example !== '' && (
              <span className="dimmed">
                , e.g. <code>{example}</code>
              </span>
            )}
          </li>
        ))}
        {template.secrets.map(({ name, description }) => (
          <li key={name}>
            <code>{name}</code> <span className="dimmed">secret{missing.includes(name) ? '' : ', there already'}:</span> {description}
            {missing.includes(name) && (
              <>
                {' '}
                <Link to="/secrets">Set it</Link>
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}
