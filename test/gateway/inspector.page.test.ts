// The page in Chromium: hostile names and words are text, keys of the keyboard move, nothing is fetched from elsewhere, dark and light.
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type BrowserContext, chromium } from "playwright-core"
import * as Inspector from "../../src/gateway/Inspector.ts"
import * as LlmError from "../../src/LlmError.ts"
import * as LlmService from "../../src/LlmService.ts"
import { layerHttpClient } from "../../src/node.ts"
import * as Cost from "../../src/observe/Cost.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as Anthropic from "../../src/provider/Anthropic.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const executablePath = "/usr/bin/chromium"
// Where to leave pictures of the page, to be looked at.
const pictures = process.env["INSPECTOR_PICTURES"]

const evil = `<img src=x onerror="globalThis.broken=1"><script>globalThis.broken=1</script>"'\u2028</pre>`
const token = "a-token-of-the-page"
const apiKey = Redacted.make("simulated-key-1")

const browsing = Effect.acquireRelease(
  Effect.promise(async () => {
    const userData = await mkdtemp(join(tmpdir(), "effect-llm-inspector-"))
    const browser = await chromium.launchPersistentContext(userData, {
      executablePath,
      headless: true,
      viewport: { width: 1360, height: 760 },
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
    return { browser, userData }
  }),
  ({ browser, userData }) =>
    Effect.promise(async () => {
      await browser.close()
      await rm(userData, { recursive: true, force: true, maxRetries: 3 })
    })
)

const page = Effect.gen(function*() {
  const server = createServer()
  const context = yield* Layer.build(
    HttpRouter.serve(Inspector.layer({ token }), { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" })),
      Layer.provideMerge(Inspector.recorder({ content: true, calls: 40 }))
    )
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  const url = yield* HttpServer.addressFormattedWith(Effect.succeed).pipe(Effect.provideContext(context))
  return { url, context }
})

/** Calls of every kind, by a stack as applications have them, and by one whose every word is hostile. */
const calls = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  let asked = 0
  yield* simulator.respondWith(({ wire }) =>
    wire === "anthropic-messages"
      ? [
        Simulator.error(529),
        Simulator.text("The lighthouse stands on the western cape, where it has stood since 1861."),
        Simulator.error(429)
      ][asked++ % 3]
      : undefined
  )
  const claude = Anthropic.layer({ apiKey, model: "claude-sonnet-4-5", baseUrl: `${simulator.url}/v1` })
  const gpt = OpenAi.layer({ apiKey, model: "gpt-5", baseUrl: `${simulator.url}/v1` })
  const usual = claude.pipe(
    Retry.policy({ retries: 1, base: "30 millis", floor: "30 millis" }),
    Fallback.policy(gpt),
    Cost.policy(),
    Inspector.policy()
  )
  const ask = LlmService.stream({
    system: "You are the keeper.",
    prompt: "Where is the lighthouse?",
    label: "desk",
    scope: { userId: "emma" }
  }).pipe(Stream.runDrain, Effect.ignore)
  yield* Effect.provide(Effect.repeat(ask, { times: 5 }), usual)

  const broken = claude.pipe(CircuitBreaker.policy({ failures: 2 }), Inspector.policy())
  yield* Effect.provide(Effect.repeat(ask, { times: 3 }), broken)

  const hostile = TestLlm.layer({
    provider: evil,
    model: evil,
    answers: ({ prompt }) =>
      prompt === "fail" ? new LlmError.Provider({ status: 500, message: evil }) : `${evil} is the answer`
  }).pipe(Inspector.policy())
  const say = (prompt: string) =>
    LlmService.generate({ prompt, system: evil, label: evil, scope: { userId: evil, requestId: evil } })
  yield* Effect.provide(Effect.andThen(Effect.ignore(say("fail")), say(evil)), hostile)
})

const looking = async (browser: BrowserContext, url: string) => {
  const page = await browser.newPage()
  const errors: Array<string> = []
  const asked: Array<string> = []
  page.on("pageerror", (error) => void errors.push(String(error)))
  page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())))
  page.on("request", (request) => void asked.push(request.url()))
  await page.goto(url)
  return { page, errors, asked }
}

describe("the page of the inspector", () => {
  it.live.skipIf(!existsSync(executablePath))(
    `shows calls, to eyes and keyboards, and runs nothing of theirs (skipped without ${executablePath})`,
    () =>
      Effect.gen(function*() {
        const { context, url } = yield* page
        const { browser } = yield* browsing
        yield* Effect.provideContext(calls, context)
        yield* Effect.promise(async () => {
          const { asked, errors, page } = await looking(browser, `${url}/inspector`)
          const picture = async (name: string) =>
            pictures === undefined ? undefined : await page.screenshot({ path: join(pictures, `${name}.png`) })

          await page.getByText("Calls are shown to whoever has the key.").waitFor()
          await picture("locked")
          await page.getByLabel("Key").fill(token)
          await page.keyboard.press("Enter")
          await page.getByText("Live", { exact: true }).waitFor()
          await page.locator("#list button.row").nth(11).waitFor()
          await picture("list-light")
          // A refused key is a failed request to the browser; there is none for any other reason.
          assert.deepStrictEqual(errors.filter((error) => !error.includes("401")), [])

          // By keyboard alone.
          await page.locator("body").press("ArrowDown")
          await page.keyboard.press("Enter")
          await page.locator("#detail pre").first().waitFor()
          assert.include(await page.locator("#detail").textContent(), evil.slice(0, 60))
          await picture("hostile")
          await page.keyboard.press("ArrowDown")
          await page.getByRole("complementary").getByText("Provider 500").first().waitFor()
          await page.keyboard.press("ArrowRight")
          assert.strictEqual(await page.evaluate("document.activeElement.textContent"), "Close")
          await page.keyboard.press("Escape")
          await page.locator("#detail").waitFor({ state: "hidden" })

          await page.keyboard.press("/")
          await page.keyboard.type("emma")
          await page.locator("#list li:not([hidden]) button.row").last().click()
          await page.getByText("Where is the lighthouse?").waitFor()
          await page.getByText("From anthropic/claude-sonnet-4-5 to openai/gpt-5", { exact: false }).or(
            page.getByText("Retry 1 of anthropic/claude-sonnet-4-5", { exact: false })
          ).first().waitFor()
          await picture("opened-light")
          await page.emulateMedia({ colorScheme: "dark" })
          await picture("opened-dark")
          await page.getByRole("button", { name: "Close" }).click()
          await page.getByLabel("Filter").fill("")
          await picture("list-dark")
          await page.setViewportSize({ width: 480, height: 800 })
          await picture("narrow")

          assert.isUndefined(await page.evaluate("globalThis.broken"))
          assert.strictEqual(await page.locator("img, #list script, #detail script").count(), 0)
          assert.deepStrictEqual(asked.filter((one) => !one.startsWith(url) && !one.startsWith("data:")), [])
          assert.deepStrictEqual(errors.filter((error) => !error.includes("401")), [])

          // The token behind # opens the door and does not stay in the address.
          const other = await looking(browser, `${url}/inspector#${token}`)
          await other.page.getByText("Live", { exact: true }).waitFor()
          assert.strictEqual(other.page.url(), `${url}/inspector`)
          await other.page.close()
        })
      }).pipe(Effect.scoped, Effect.provide(layerHttpClient)),
    60_000
  )
})
