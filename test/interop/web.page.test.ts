/**
 * The page of examples/26-web-page.ts, looked at in Chromium.
 */
import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"

const executablePath = "/usr/bin/chromium"
const example = fileURLToPath(new URL("../../examples/26-web-page.ts", import.meta.url))

const serving = (): { readonly child: ChildProcess; readonly url: Promise<string> } => {
  const child = spawn(process.execPath, [example, "--stay"], { stdio: ["ignore", "pipe", "pipe"] })
  let said = ""
  const url = new Promise<string>((resolve, reject) => {
    child.stdout!.on("data", (chunk: Buffer) => {
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said += chunk.toString())
      if (found !== null) resolve(found[0])
    })
    child.stderr!.on("data", (chunk: Buffer) => void (said += chunk.toString()))
    child.on("exit", () => reject(new Error(`The example ended: ${said}`)))
  })
  return { child, url }
}

describe("the page of an example", () => {
  it.skipIf(!existsSync(executablePath))(
    `shows an answer as it comes (skipped without ${executablePath})`,
    async () => {
      const { child, url } = serving()
      const userData = await mkdtemp(join(tmpdir(), "effect-llm-page-"))
      const browser = await chromium.launchPersistentContext(userData, {
        executablePath,
        headless: true,
        args: [
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync"
        ]
      })
      try {
        const page = await browser.newPage()
        const errors: Array<unknown> = []
        page.on("pageerror", (error) => void errors.push(error))
        await page.goto(await url)
        const ask = async (question: string) => {
          await page.getByLabel("Question").fill(question)
          await page.getByRole("button").click()
        }
        await ask("Tell me a story.")
        // Markup in an answer is text.
        await page.getByText("Once upon a time there was a <b>lighthouse</b>.").waitFor()
        assert.strictEqual(await page.locator("#note").textContent(), "first failed; asking another.")

        await ask("Break off.")
        await page.getByText("It broke off: IncompleteStream").waitFor()
        assert.match(await page.locator("#answer").textContent() ?? "", /^Once upon/)
        assert.deepStrictEqual(errors, [])
      } finally {
        await browser.close()
        child.removeAllListeners("exit")
        child.kill()
        await rm(userData, { recursive: true, force: true, maxRetries: 3 })
      }
    }
  )
})
