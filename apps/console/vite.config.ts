/** Build of the console: hashed assets, nothing inline, so that the page works under a strict Content-Security-Policy. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    target: 'es2022',
    // A data: URL for a font or a worker would be refused by the policy.
    assetsInlineLimit: 0,
    // The largest chunk is the editor, which only the pages that edit load.
    chunkSizeWarningLimit: 700,
  },
})
