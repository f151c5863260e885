/** The site's frame: order of the guide, search without a server, light and dark. Its pages are what `build.ts` gathers in `.tmp`. */
import { existsSync, readFileSync } from "node:fs"
import { defineConfig } from "vitepress"

interface Section {
  readonly text: string
  readonly collapsed?: boolean
  readonly items: ReadonlyArray<{ readonly text: string; readonly link: string }>
}

const gathered = new URL("../.tmp/sidebar.json", import.meta.url)
const sections = existsSync(gathered) ? JSON.parse(readFileSync(gathered, "utf8")) as Array<Section> : []

export default defineConfig({
  title: "effect-llm",
  description: "One Effect service for every large language model provider.",
  head: [["link", {
    rel: "icon",
    href:
      "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='6' fill='%233451b2'/></svg>"
  }]],
  srcDir: ".tmp",
  outDir: "dist",
  cacheDir: ".tmp/.cache",
  cleanUrls: false,
  metaChunk: true,
  // Signatures and examples are full of what looks like a tag or a template.
  markdown: { html: true, math: false },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Guide", link: "/docs/policies" },
      { text: "Examples", link: "/examples/" },
      { text: "Providers", link: "/providers/" },
      { text: "Reference", link: "/reference/" }
    ],
    sidebar: sections as never
  }
})
