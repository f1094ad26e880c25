/** A store that ends with its process. */
import type { ClientStore } from '../store.ts'
import { assertName, assertSize, defaultMaxValueBytes } from './store-error.ts'

export interface StoreOptions {
  /** Default 4 MiB. */
  readonly maxValueBytes?: number
}

export function memoryStore({ maxValueBytes = defaultMaxValueBytes }: StoreOptions = {}): ClientStore {
  const values = new Map<string, Uint8Array>()
  return {
    isDurable: false,
    read: async (name) => {
      assertName(name)
      return values.get(name)?.slice()
    },
    write: async (name, value) => {
      assertName(name)
      assertSize(name, value.length, maxValueBytes)
      values.set(name, value.slice())
    },
    remove: async (name) => {
      assertName(name)
      values.delete(name)
    },
  }
}
