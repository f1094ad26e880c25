import { expect, it } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { testStore } from './test-store-contract.ts'

testStore('a store in memory', { make: async (maxValueBytes) => memoryStore(maxValueBytes === undefined ? {} : { maxValueBytes }) })

it('says that nothing in memory outlives the process', () => {
  expect(memoryStore().isDurable).toBe(false)
})
