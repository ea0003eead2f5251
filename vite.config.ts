import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const outDir = join(import.meta.dirname, 'dist/console')

/** The console, built into `dist/console`, from where `http/console-files.ts` serves it. */
export default defineConfig({
  root: 'src/console',
  // Inlined assets would be `data:` URLs, which the Content-Security-Policy refuses.
  build: { outDir, emptyOutDir: true, assetsInlineLimit: 0, target: 'es2024', chunkSizeWarningLimit: 700 },
  plugins: [react(), gzipped()],
  logLevel: 'warn',
})

// Compressed once, not at each answer: the server has one core to lose.
function gzipped(): Plugin {
  return {
    name: 'gzipped',
    apply: 'build',
    writeBundle: () => {
      const assets = join(outDir, 'assets')
      for (const name of readdirSync(assets).filter((file) => /\.(js|css)$/.test(file)))
        writeFileSync(join(assets, `${name}.gz`), gzipSync(readFileSync(join(assets, name)), { level: 9 }))
    },
  }
}
