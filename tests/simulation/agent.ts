/** One simulated Agent: takes offers, works with them or not, crashes, and sometimes lies. Its memory survives its crashes, like a supervisor's disk. */
import type { ReportedStatus } from '@drover/fleet'
import type { Traits } from './scenario.ts'
import type { SettingsRow } from './store.ts'
import type { World } from './world.ts'

export interface AgentPorts {
  report(agent: SimulatedAgent): void
  /** For good, or just now. */
  fails(agent: SimulatedAgent, hash: string): boolean
  crashes(agent: SimulatedAgent): boolean
  lies(): boolean
}

export interface Offer {
  readonly config: string | null
  readonly settings: string | null
}

/** What it says when it connects, and whenever that changes. */
export interface AgentReport {
  readonly config: ReportedStatus
  readonly settings: SettingsRow['status']
  /** What it really runs, as an effective configuration shows. */
  readonly running: string
}

export class SimulatedAgent {
  readonly name: string
  readonly traits: Traits
  readonly isMute: boolean
  running: string
  settings: string | null = null
  config: ReportedStatus
  settingsStatus: SettingsRow['status'] = null
  /** Number of its connection; 0: none. */
  connection = 0
  /** Configurations that it once said it failed. */
  readonly failed = new Set<string>()
  hadOther = false
  /** Grows whenever what it was doing no longer counts. */
  private life = 0
  private readonly world: World
  private readonly ports: AgentPorts

  constructor(name: string, nature: { readonly traits: Traits; readonly isMute: boolean; readonly running: string }, world: World, ports: AgentPorts) {
    this.name = name
    this.traits = nature.traits
    this.isMute = nature.isMute
    this.running = nature.running
    this.config = { hash: nature.running === 'own' ? '' : nature.running, status: nature.running === 'own' ? 'unset' : 'applied', errorMessage: '' }
    this.world = world
    this.ports = ports
  }

  get report(): AgentReport {
    return { config: this.config, settings: this.settingsStatus, running: this.running }
  }

  takeOffer({ config, settings }: Offer): void {
    if (this.isMute) return
    if (settings !== null) this.takeSettings(settings)
    if (config !== null) this.takeConfig(config)
  }

  private takeSettings(hash: string): void {
    if (this.ports.fails(this, hash)) this.settingsStatus = { hash, status: 'failed' }
    else {
      this.settings = hash
      this.settingsStatus = { hash, status: 'applied' }
    }
    this.ports.report(this)
    // Some say so when they are back on what they had.
    const { settings } = this
    if (this.settingsStatus.status === 'failed' && settings !== null && this.world.chance(0.3)) {
      this.settingsStatus = { hash: settings, status: 'applied' }
      this.ports.report(this)
    }
  }

  private takeConfig(hash: string): void {
    if (this.ports.lies()) {
      this.world.tell(() => `${this.name} claims to have applied what nobody sent`)
      return this.say({ hash: this.world.chance(0.5) ? 'ff' : '', status: 'applied', errorMessage: '' })
    }
    const life = ++this.life
    this.say({ hash, status: 'applying', errorMessage: '' })
    this.world.in(this.world.between(500, 20_000), () => {
      if (life !== this.life) return
      if (!this.ports.crashes(this)) return this.apply(hash)
      this.world.tell(() => `${this.name} crashes while it applies ${hash}`)
      this.life++
      this.config = { hash: this.running, status: 'applied', errorMessage: '' }
    })
  }

  private apply(hash: string): void {
    if (!this.ports.fails(this, hash)) {
      this.running = hash
      if (/[2-9]|\d\d/.test(hash)) this.hadOther = true
      return this.say({ hash, status: 'applied', errorMessage: '' })
    }
    this.failed.add(hash)
    this.say({ hash, status: 'failed', errorMessage: 'exit code 1' })
    if (this.world.chance(0.3))
      this.world.in(1000, () => {
        if (this.config.hash === hash && this.config.status === 'failed') this.say({ hash: this.running, status: 'applied', errorMessage: '' })
      })
  }

  private say(status: ReportedStatus): void {
    this.config = status
    this.ports.report(this)
  }
}
