/** Who a program is that does not say so itself: by the supervisor's file, its version command, and the machine. */
import { readFileSync } from 'node:fs'
import { arch, hostname, platform, release, type } from 'node:os'
import { create } from '@bufbuild/protobuf'
import { AgentDescriptionSchema, keyValues } from '@drover/protocol'
import type { AgentDescription, InstanceUid } from '@drover/protocol'

export function describeProcess(name: string, version: string | undefined, uid: InstanceUid): AgentDescription {
  return create(AgentDescriptionSchema, {
    identifyingAttributes: keyValues({ 'service.instance.id': uid, 'service.name': name, ...(version === undefined ? {} : { 'service.version': version }) }),
    nonIdentifyingAttributes: keyValues({
      'host.arch': hostArch[arch()] ?? arch(),
      'host.name': hostname(),
      'os.description': osDescription(),
      'os.type': platform() === 'win32' ? 'windows' : platform(),
    }),
  })
}

/** As the semantic conventions have it. */
const hostArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', arm: 'arm32' }

function osDescription(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]{1,200})/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    if (name !== undefined) return name
  } catch {
    // not every system has that file
  }
  return `${type()} ${release()}`
}

/** The version in the first line that has one: numbers with dots between them. */
export function versionIn(output: string): string | undefined {
  return /(?<![\w.])v?(\d+(?:\.\d+)+(?:[-+.][0-9A-Za-z]+)*)/.exec(output)?.[1]
}
