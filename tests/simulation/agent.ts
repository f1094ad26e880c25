/** One scripted Agent: takes offers, works with them or not, crashes, and sometimes lies. */
import type { ReportedStatus } from '@drover/fleet'
import { hashOf } from './driver.ts'
import type { World } from './world.ts'

export type AgentNature = 'good' | 'broken' | 'mute'

export interface AgentPorts {
  report(agent: SimulatedAgent): void
  isFailingNow(): boolean
  crashes(): boolean
  lies(): boolean
}

export class SimulatedAgent {
  readonly name: string
  readonly nature: AgentNature
  readonly parity: string
  running: string
  status: ReportedStatus
  /** Number of its connection; 0: none. */
  connection = 0
  /** Grows whenever what it was doing no longer counts. */
  private life = 0
  private readonly world: World
  private readonly ports: AgentPorts

  constructor(name: string, nature: AgentNature, world: World, ports: AgentPorts) {
    this.name = name
    this.nature = nature
    this.parity = Number(name.slice(1)) % 2 === 1 ? 'odd' : 'even'
    this.running = hashOf(1)
    this.status = { hash: this.running, status: 'applied', errorMessage: '' }
    this.world = world
    this.ports = ports
  }

  takeOffer(hash: string): void {
    if (this.nature === 'mute') return
    if (this.ports.lies()) {
      this.world.tell(`${this.name} claims to have applied what nobody sent`)
      return this.say({ hash: this.world.chance(0.5) ? 'ff' : '', status: 'applied', errorMessage: '' })
    }
    const life = ++this.life
    this.say({ hash, status: 'applying', errorMessage: '' })
    this.world.in(this.world.between(500, 20_000), () => {
      if (life !== this.life) return
      if (this.ports.crashes()) {
        this.world.tell(`${this.name} crashes while it applies ${hash}`)
        this.status = { hash: this.running, status: 'applied', errorMessage: '' }
        this.life++
        return
      }
      this.apply(hash)
    })
  }

  private apply(hash: string): void {
    const isBad = hash !== hashOf(1) && (this.nature === 'broken' || this.ports.isFailingNow())
    if (!isBad) {
      this.running = hash
      return this.say({ hash, status: 'applied', errorMessage: '' })
    }
    this.say({ hash, status: 'failed', errorMessage: 'exit code 1' })
    // Some say so when they are back on what they had.
    if (this.world.chance(0.3))
      this.world.in(
        1000,
        () => this.status.hash === hash && this.status.status === 'failed' && this.say({ hash: this.running, status: 'applied', errorMessage: '' }),
      )
  }

  private say(status: ReportedStatus): void {
    this.status = status
    this.ports.report(this)
  }
}
