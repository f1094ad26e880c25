/** The waves of a rollout as a row of bars: each shows where its agents stand, the open one stands out, many are folded. */
import type { Rollout } from '@drover/api'
import { Button, VisuallyHidden } from '@mantine/core'
import {
  IconArrowBackUp,
  IconArrowsHorizontal,
  IconCheck,
  IconCircleDashed,
  IconClock,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
} from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { AgentText } from '../../ui/AgentText.tsx'
import { MemberBar } from '../../ui/MemberBar.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { type Counts, memberParts, partsOf, waveStates } from '../../ui/rollout-states.ts'
import { clockTime } from '../../ui/time.ts'
import { SHOWN_WAVES, type WaveItem, type WaveLook, countdown, currentWave, foldWaves, progressOf, soakView, waveLook } from './rollout-view.ts'

interface Props {
  readonly rollout: Rollout
  /** Counted from 0. */
  readonly chosen: number | undefined
  readonly onChoose: (wave: number | undefined) => void
}

export function Waves({ rollout, chosen, onChoose }: Props) {
  const { have, back, of } = progressOf(rollout)
  return (
    <Panel
      title={`Waves (${rollout.waves.length.toLocaleString('en')})`}
      actions={
        <span className="dimmed">
          {have.toLocaleString('en')} of {of.toLocaleString('en')} agents have it{back > 0 ? `, ${back.toLocaleString('en')} are back` : ''}
        </span>
      }
    >
      <div className="stack">
        <WaveRow waves={rollout.waves} current={currentWave(rollout)} chosen={chosen} onChoose={onChoose} soak={rollout.soak} state={rollout.state} />
        <Legend counts={rollout.counts} />
      </div>
    </Panel>
  )
}

interface RowProps extends Omit<Props, 'rollout'> {
  readonly waves: Rollout['waves']
  /** The one around which they are folded. */
  readonly current: number
  readonly soak: Rollout['soak']
  /** Of the rollout. */
  readonly state: Rollout['state']
}

function WaveRow({ waves, current, chosen, onChoose, soak, state }: RowProps) {
  const [all, setAll] = useState(false)
  const items = useMemo(() => foldWaves(waves, current, all), [waves, current, all])
  const row = useRef<HTMLOListElement>(null)
  useEffect(() => {
    const card = all ? row.current?.children[current] : undefined
    if (card instanceof HTMLElement && row.current !== null) row.current.scrollTop = card.offsetTop - row.current.clientHeight / 3
  }, [current, all])
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable, so that the arrow keys can scroll it */}
      <ol className="waves" ref={row} data-many={all || undefined} tabIndex={all ? 0 : undefined}>
        {items.map((item) =>
          item.kind === 'wave' ? (
            <li key={item.index}>
              <WaveCard
                item={item}
                look={waveLook(item.wave, state)}
                isCurrent={item.index === current && (item.wave.state === 'open' || item.wave.state === 'soaking')}
                chosen={chosen === item.index}
                onChoose={() => onChoose(chosen === item.index ? undefined : item.index)}
                soak={item.index === current ? soak : null}
              />
            </li>
          ) : (
            <li key={`fold ${item.first}`}>
              <Folded item={item} onUnfold={() => setAll(true)} />
            </li>
          ),
        )}
      </ol>
      {waves.length > SHOWN_WAVES && (
        <div>
          <Button variant="default" size="compact-xs" onClick={() => setAll(!all)} aria-pressed={all}>
            {all ? 'Fold waves' : `Show all ${waves.length.toLocaleString('en')} waves`}
          </Button>
        </div>
      )}
    </>
  )
}

const agentsText = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'agent' : 'agents'}`

const marks: Readonly<Record<WaveLook['mark'], typeof IconCheck>> = {
  ahead: IconCircleDashed,
  open: IconPlayerPlay,
  soaking: IconClock,
  passed: IconCheck,
  paused: IconPlayerPause,
  back: IconArrowBackUp,
  ended: IconPlayerStop,
}

function WaveCard(props: {
  readonly item: Extract<WaveItem, { kind: 'wave' }>
  readonly look: WaveLook
  readonly isCurrent: boolean
  readonly chosen: boolean
  readonly onChoose: () => void
  readonly soak: Rollout['soak']
}) {
  const { index, wave } = props.item
  const { look } = props
  const Mark = marks[look.mark]
  return (
    <button
      type="button"
      className="wave"
      data-state={wave.state}
      data-current={props.isCurrent ? look.tone : undefined}
      aria-current={props.isCurrent ? 'step' : undefined}
      aria-pressed={props.chosen}
      onClick={props.onChoose}
    >
      <span className="wave-head">
        <span className="wave-number">
          <VisuallyHidden>Wave </VisuallyHidden>
          {index + 1}
        </span>
        {wave.label !== agentsText(wave.agents) && (
          <span className="wave-label truncate">
            <AgentText text={wave.label} />
          </span>
        )}
        <span className="wave-state" data-tone={look.tone} title={look.meaning}>
          <Mark size={12} stroke={2.2} aria-hidden />
          {look.label}
        </span>
      </span>
      <MemberBar counts={wave.counts} />
      <span className="wave-foot">
        <span>{agentsText(wave.agents)}</span>
        {props.soak === null ? wave.openedAt !== null && <span>{clockTime(Date.parse(wave.openedAt))}</span> : <SoakClock soak={props.soak} />}
      </span>
    </button>
  )
}

function Folded({ item, onUnfold }: { readonly item: Extract<WaveItem, { kind: 'fold' }>; readonly onUnfold: () => void }) {
  const look = waveStates[item.state]
  const range = item.first === item.last ? `${item.first + 1}` : `${item.first + 1}–${item.last + 1}`
  return (
    <button type="button" className="wave" data-state={item.state} data-fold onClick={onUnfold}>
      <span className="wave-head">
        <IconArrowsHorizontal size={12} aria-hidden />
        <span className="wave-number">
          <VisuallyHidden>Show waves </VisuallyHidden>
          {range}
        </span>
        <span className="wave-state" data-tone={look.tone}>
          {look.label}
        </span>
      </span>
      <MemberBar counts={item.counts} />
      <span className="wave-foot">{agentsText(item.agents)}</span>
    </button>
  )
}

/** Ticks for those who see it; the end as a time is what a screen reader gets, through the page's summary. */
function SoakClock({ soak }: { readonly soak: NonNullable<Rollout['soak']> }) {
  const now = useSecond()
  const { share, leftSeconds } = soakView(soak, now)
  return (
    <span className="wave-soak" aria-hidden title={`Watched until ${clockTime(Date.parse(soak.until))}`}>
      <i style={{ width: `${share * 100}%` }} />
      {leftSeconds === 0 ? 'waits for its gates' : `${countdown(leftSeconds)} left`}
    </span>
  )
}

function useSecond(): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return now
}

/** What the parts of the bars stand for, with how many agents are in each. */
function Legend({ counts }: { readonly counts: Counts }) {
  return (
    <ul className="legend" aria-label="Agents by where they stand">
      {partsOf(counts).map(({ part, count }) => (
        <li key={part} title={`Agents that ${memberParts[part].meaning}`}>
          <span className="legend-swatch" data-part={part} aria-hidden />
          {memberParts[part].label} <strong>{count.toLocaleString('en')}</strong>
          <VisuallyHidden>, {memberParts[part].meaning}</VisuallyHidden>
        </li>
      ))}
    </ul>
  )
}
