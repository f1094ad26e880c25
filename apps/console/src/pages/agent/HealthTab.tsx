/** The health of an agent and of its parts as a tree, with keyboard and ARIA tree roles. */
import type { HealthNode } from '@drover/api'
import { Tree, type TreeNodeData, useTree } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useMemo } from 'react'
import { HealthBadge } from '../../ui/AgentBadges.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'

export function HealthTab({ health }: { readonly health: HealthNode | null }) {
  return (
    <Panel title="Health">
      {health === null ? (
        <EmptyState title="Nothing reported">The agent has not reported its health. It needs the capability ReportsHealth.</EmptyState>
      ) : (
        <HealthTree root={health} />
      )}
    </Panel>
  )
}

function HealthTree({ root }: { readonly root: HealthNode }) {
  const { data, nodes } = useMemo(() => treeOf(root), [root])
  const tree = useTree({ initialExpandedState: Object.fromEntries([...nodes.keys()].map((key) => [key, true])) })
  return (
    <Tree
      data={data}
      tree={tree}
      className="health-tree"
      aria-label="Health of the agent and its parts"
      levelOffset={22}
      renderNode={({ node, expanded, hasChildren, elementProps }) => {
        const health = nodes.get(node.value)
        const Mark = expanded ? IconChevronDown : IconChevronRight
        return (
          <div {...elementProps} className={`health-node ${elementProps.className}`}>
            <span className="health-name">
              {hasChildren ? <Mark size={14} aria-hidden /> : <span style={{ width: 14 }} />}
              {health && <HealthBadge healthy={health.healthy} plain />}
              <strong>{node.label}</strong>
              {health !== undefined && health.status !== '' && (
                <span className="dimmed">
                  <AgentText text={health.status} />
                </span>
              )}
            </span>
            <span className="dimmed">{health?.statusAt != null ? <RelativeTime at={health.statusAt} /> : null}</span>
            {health !== undefined && health.lastError !== '' && (
              <span className="health-error">
                <AgentText text={health.lastError} />
              </span>
            )}
          </div>
        )
      }}
    />
  )
}

/** Nodes by their place in the tree: names need not be unique. */
function treeOf(root: HealthNode): { data: TreeNodeData[]; nodes: ReadonlyMap<string, HealthNode> } {
  const nodes = new Map<string, HealthNode>()
  const visit = (node: HealthNode, place: string): TreeNodeData => {
    nodes.set(place, node)
    const label = node.name === '' ? 'Agent' : <AgentText text={node.name} />
    return { value: place, label, ...(node.children.length > 0 ? { children: node.children.map((child, index) => visit(child, `${place}.${index}`)) } : {}) }
  }
  return { data: [visit(root, '0')], nodes }
}
