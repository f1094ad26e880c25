/** Bundles the command for hosts that run the supervisor. What only the server needs stays outside. */
import { defineConfig } from 'rolldown'

export default defineConfig({
  input: 'src/main.ts',
  platform: 'node',
  external: ['@drover/control-plane'],
  output: { format: 'esm', minify: { compress: true, mangle: false, codegen: true }, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
})
