/**
 * A page that shows an answer as it comes, with a few lines of plain JavaScript: plain server-sent events from a server on loopback.
 *
 * `node examples/26-web-page.ts --stay` keeps the server, to be looked at in a browser.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { Console, Effect, Layer, Stream } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { Fallback, LlmService } from "../src/index.ts"
import * as EventStream from "../src/interop/EventStream.ts"
import * as TestLlm from "../src/testing/TestLlm.ts"

// #region page
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>An answer</title>
<form><input name="q" aria-label="Question" value="Tell me a story."><button>Ask</button></form>
<p id="note" role="status"></p>
<p id="answer" aria-live="polite"></p>
<script type="module">
  const [form, note, answer] = ["form", "#note", "#answer"].map((name) => document.querySelector(name))
  form.onsubmit = (submitted) => {
    submitted.preventDefault()
    note.textContent = answer.textContent = ""
    const source = new EventSource("/answer?" + new URLSearchParams(new FormData(form)))
    source.onmessage = ({ data }) => {
      const event = JSON.parse(data)
      if (event._tag === "TextDelta") answer.append(event.text)
      if (event._tag === "AttemptFailed") note.textContent = event.attempt.provider + " failed; asking another."
      if (event._tag === "LlmError") note.textContent = "It broke off: " + event.reason._tag
      if (event._tag === "Finish" || event._tag === "LlmError") source.close()
    }
    source.onerror = () => { note.textContent = "The connection was lost."; source.close() }
  }
</script>
</html>`
// #endregion

// Scripted providers, so that the example needs no key: the first is overloaded, the second answers, and breaks off when it is asked to.
const primary = TestLlm.layer({ provider: "first", answers: () => TestLlm.overloaded() })
const backup = TestLlm.layer({
  provider: "second",
  answers: ({ prompt }) => {
    const story = "Once upon a time there was a <b>lighthouse</b>."
    return prompt === "Break off." ? TestLlm.cutAfter(5, story) : story
  }
})
const llm = primary.pipe(Fallback.policy(backup))

// #region server
const routes = HttpRouter.use((router) =>
  Effect.gen(function*() {
    yield* router.add("GET", "/", HttpServerResponse.html(page))
    yield* router.add(
      "GET",
      "/answer",
      Effect.gen(function*() {
        const request = yield* HttpServerRequest.HttpServerRequest
        const prompt = new URL(request.url, "http://localhost").searchParams.get("q") ?? ""
        // Leaving the page ends the call.
        return yield* EventStream.response(LlmService.stream({ prompt }))
      })
    )
  })
)
// #endregion

const server = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(llm),
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
)

const program = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  const url = `http://127.0.0.1:${address._tag === "UnixPathAddress" ? "" : address.port}`
  yield* Console.log(url)
  if (process.argv.includes("--stay")) return yield* Effect.never
  const answer = yield* Effect.promise(async () => (await fetch(`${url}/answer?q=Hello`)).text())
  yield* Stream.fromIterable(answer.split("\n\n")).pipe(
    Stream.filter((line) => line.startsWith("data: ")),
    Stream.runForEach((line) => Console.log((JSON.parse(line.slice(6)) as { readonly _tag: string })._tag))
  )
})

Effect.runPromise(Effect.provide(program, server)).catch(console.error)
