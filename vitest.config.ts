/** The suites: `unit` is quick and runs beside the code; the others start real servers, peers or a browser, one file at a time. */
import { defineConfig } from 'vitest/config'

const unitTimeoutMs = 30_000
const systemTimeoutMs = 180_000

/** A suite in tests/ that shares the machine's two cores with programs it starts. */
function systemSuite(name: string) {
  return {
    test: {
      name,
      include: [`tests/${name}/**/*.test.ts`],
      testTimeout: systemTimeoutMs,
      hookTimeout: systemTimeoutMs,
      fileParallelism: false,
    },
  }
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    teardownTimeout: unitTimeoutMs,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{libs,apps,tools}/**/*.test.{ts,tsx}'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: unitTimeoutMs,
          hookTimeout: unitTimeoutMs,
        },
      },
      systemSuite('simulation'),
      systemSuite('conformance'),
      systemSuite('runtimes'),
      systemSuite('interop'),
      systemSuite('crash'),
      systemSuite('e2e'),
    ],
  },
})
