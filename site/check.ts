/**
 * Reads the built site as a visitor would: every link and anchor leads somewhere, no page fetches from elsewhere or complains, and the search
 * finds. Needs a build (`npm run site`) and Debian's Chromium.
 */
import { existsSync, globSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"

const dist = fileURLToPath(new URL("dist/", import.meta.url))
const files = new Map(
  globSync("**/*.html", { cwd: dist }).map((path) => [`/${path}`, readFileSync(join(dist, path), "utf8")])
)
const problems: Array<string> = []

const idsOf = (html: string): Set<string> => new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!))
const ids = new Map([...files].map(([path, html]) => [path, idsOf(html)]))
const fileOf = (path: string): string =>
  path.endsWith("/") ? `${path}index.html` : extname(path) === "" ? `${path}.html` : path

let links = 0
for (const [path, html] of files) {
  for (const [, href] of html.matchAll(/<a [^>]*?href="([^"]*)"/g)) {
    if (/^(?:https?:|mailto:)/.test(href!)) continue
    links++
    const [to, anchor] = href!.replaceAll("&amp;", "&").split("#") as [string, string | undefined]
    const file = to === ""
      ? path
      : fileOf(
        posix.join(
          posix.dirname(path),
          to.startsWith("/") ? posix.relative(posix.dirname(path), to) + (to.endsWith("/") ? "/" : "") : to
        )
      )
    if (!files.has(file) && !existsSync(join(dist, file))) problems.push(`${path}: ${href} leads nowhere`)
    else if (anchor !== undefined && anchor !== "" && ids.get(file)?.has(decodeURIComponent(anchor)) === false) {
      problems.push(`${path}: ${href} names no heading`)
    }
  }
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".json": "application/json"
}
const server = createServer((request, response) => {
  const path = fileOf(decodeURIComponent(new URL(request.url!, "http://localhost").pathname))
  const file = join(dist, path)
  const there = existsSync(file)
  response.writeHead(there ? 200 : 404, { "content-type": types[extname(file)] ?? "application/octet-stream" })
  response.end(there ? readFileSync(file) : "")
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
})
try {
  const tab = await browser.newPage()
  tab.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) {
      problems.push(`fetches ${request.url()}`)
    }
  })
  tab.on("pageerror", (error) => problems.push(`${tab.url()}: ${error.message}`))
  tab.on("console", (message) => {
    if (message.type() === "error") problems.push(`${tab.url()}: ${message.text()}`)
  })
  for (
    const path of [
      "/",
      "/docs/policies.html",
      "/docs/reasons.html",
      "/providers/Anthropic.html",
      "/reference/policy.Retry.html"
    ]
  ) {
    await tab.goto(`${origin}${path}`, { waitUntil: "networkidle" })
    if ((await tab.locator("h1").first().textContent())?.trim() === "") problems.push(`${path} has no title`)
  }
  await tab.keyboard.press("Control+k")
  await tab.locator("#localsearch-input").fill("circuit breaker")
  await tab.locator("#localsearch-list li").first().waitFor({ timeout: 10_000 })
} finally {
  await browser.close()
  server.close()
}

process.stdout.write(`${files.size} pages, ${links} links\n`)
if (problems.length > 0) {
  process.stderr.write(`${problems.slice(0, 50).join("\n")}\n${problems.length} problems\n`)
  process.exitCode = 1
}
