// Texts of any length: bodies and lines, errors, partial JSON, seams, names.
import * as Problems from "../../src/config/problems.ts"
import { parsePartialJson } from "../../src/json/partial.ts"
import type { ServiceInfo } from "../../src/LlmService.ts"
import { inputTokens } from "../../src/model/estimate.ts"
import { keyText } from "../../src/policy/cache/key.ts"
import { Joined } from "../../src/policy/continue/joined.ts"
import { Seam } from "../../src/policy/continue/seam.ts"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import {
  classify,
  isErrorBody,
  readErrorBody,
  readErrorText,
  retryDelayFromMessage
} from "../../src/protocol/ErrorMap.ts"
import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import { titleOf } from "../../src/transport/Page.ts"
import * as RetryAfter from "../../src/transport/RetryAfter.ts"
import { type Case, many, textCase, usual } from "./Case.ts"

const chat = OpenAiChat.make()
const ollama = OllamaChat.make()
const long = 1_000_000

const framing: ReadonlyArray<Case> = [
  textCase("framing: data lines of an event", chat, (n) => `${"data: x\n".repeat(n)}\n`, 500_000),
  textCase("framing: empty data lines of an event", chat, (n) => `${"data:\n".repeat(n)}\n`, 500_000),
  textCase("framing: data lines of objects", chat, (n) => "data: {}\n".repeat(n)),
  textCase("framing: comments", chat, (n) => ": ping\n\n".repeat(n), 500_000),
  textCase("framing: blank lines", chat, (n) => `:\n${"\r\n".repeat(n)}`, long),
  textCase("framing: carriage returns", chat, (n) => `:\n${"\r".repeat(n)}`, long),
  textCase("framing: event names", chat, (n) => "event: a\n".repeat(n), 500_000),
  textCase("framing: whitespace before anything", chat, (n) => " ".repeat(n), 10_000_000),
  textCase("framing: one line", chat, (n) => `data: ${"x".repeat(n)}`, 10_000_000),
  textCase(
    "framing: lines of an object without a field name",
    chat,
    (n) => `: a\n{\n${" \"a\": 1,\n".repeat(n)}`,
    500_000
  ),
  textCase("framing: objects without a field name", chat, (n) => ": a\n{}\n".repeat(n)),
  textCase("framing: beginnings of objects", chat, (n) => `: a\n${"{\n}\n".repeat(n)}`),
  textCase("framing: lines of JSON", ollama, (n) => "{\"a\":1}\n".repeat(n)),
  textCase("framing: lines of a pretty document", ollama, (n) => `{\n${" \"a\": 1,\n".repeat(n)}`, 500_000),
  textCase("framing: elements of an array", GeminiGenerateContent.make(), (n) => `[${"{\"a\":1},".repeat(n)}`),
  textCase("framing: brackets of an array", GeminiGenerateContent.make(), (n) => "[".repeat(n), long),
  textCase("framing: lines of a document that is none", chat, (n) => "{\"a\":1}\n".repeat(n)),
  textCase("framing: whitespace in a document", chat, (n) => `{${" ".repeat(n)}`, 10_000_000),
  textCase("framing: a page", chat, (n) => `<html>${"<title".repeat(n)}`, long),
  textCase("framing: text that repeats in a frame", chat, (n) => {
    const words = "\"".repeat(n)
    const delta = { choices: [{ index: 0, delta: { content: words } }], id: `${words}${words}` }
    return `data: ${JSON.stringify(delta)}\n\ndata: ${JSON.stringify(delta)}\n\n`
  }, 500_000),
  ...["{\"a\":\"", "{\"choices\":["].map((text): Case => ({
    name: `framing: a document byte by byte, ${text}`,
    size: 500_000,
    run: (n) => textCase("", chat, () => text + "x".repeat(n)).run(n)
  }))
]

/** Error texts that a pattern may try at every place. */
const hostile: { readonly [name: string]: (n: number) => string } = {
  letters: (n) => "a".repeat(n),
  digits: (n) => "1".repeat(n),
  spaces: (n) => `again${" ".repeat(n)}x`,
  "retry and spaces": (n) => "retry   ".repeat(n),
  "numbers of seconds": (n) => "in 1 second ".repeat(n),
  quota: (n) => "quota ".repeat(n),
  context: (n) => "context length ".repeat(n),
  links: (n) => ":http://a\n".repeat(n),
  titles: (n) => "<title".repeat(n),
  brackets: (n) => "[".repeat(n),
  braces: (n) => "{\"error\":".repeat(n),
  lines: (n) => "data: {\"a\":1}\n".repeat(n),
  exceptions: (n) => "Exception".repeat(n),
  dots: (n) => "a.".repeat(n),
  slashes: (n) => "/".repeat(n)
}

const info: ServiceInfo = { provider: "p", model: "m", capabilities: {} as ServiceInfo["capabilities"] }

const errors: ReadonlyArray<Case> = Object.entries(hostile).flatMap(([name, make]) => {
  const one = (what: string, read: (text: string) => unknown): Case => ({
    name: `${what}: ${name}`,
    size: usual,
    run: (n) => {
      const text = make(n)
      return () => void read(text)
    }
  })
  return [
    one("error message", (message) => classify({ message, status: 400, body: message })),
    one("error type", (type) => classify({ message: "x", type, code: type })),
    one("AWS error type", (type) => readErrorBody({ __type: type, message: type })),
    one("error body", readErrorText),
    one("cut error body", (text) => readErrorText(text, true)),
    one("error frame", (message) => isErrorBody({ error: { message, type: message, code: message } })),
    one("delay in a message", retryDelayFromMessage),
    one("delay in a header", (text) => RetryAfter.retryAfter({ "retry-after": text, "x-ratelimit-reset": text }, 0)),
    one("page", titleOf),
    one(
      "in-stream error",
      (message) =>
        void textCase(
          "",
          AnthropicMessages.make(),
          () => `data: ${JSON.stringify({ type: "error", error: { type: "x", message } })}\n\n`
        ).run(0)()
    ),
    one("unknown name in a configuration", (text) => Problems.unknownName(text, [text.slice(1), "openai"]))
  ]
})

const partial: ReadonlyArray<Case> = Object.entries({
  "open lists": (n: number) => "[".repeat(n),
  "open objects": (n: number) => "{\"a\":".repeat(n),
  "closed lists": (n: number) => `[${"[],".repeat(n)}`,
  members: (n: number) => `{${many(n, (at) => `"a${at}":1,`).join("")}`,
  "an open string": (n: number) => `{"a":"${"\\\\".repeat(n)}`,
  escapes: (n: number) => `["${"\\u00e9".repeat(n)}`
}).map(([name, make]) => ({
  name: `partial JSON: ${name}`,
  size: long,
  run: (n) => {
    const text = make(n)
    return () => void parsePartialJson(text)
  }
}))

const seams: ReadonlyArray<Case> = Object.entries({
  "a text that repeats": (n: number) => "a".repeat(n),
  "a text of words": (n: number) => many(n, (at) => `${at}`).join(" "),
  "a text that almost repeats": (n: number) => `${"ab".repeat(n)}c`
}).flatMap(([name, make]): ReadonlyArray<Case> => [
  {
    name: `seam: ${name}, said again`,
    size: usual,
    run: (n) => {
      const text = make(n)
      return () => {
        const seam = new Seam(text)
        for (let at = 0; at < text.length; at += 2) seam.push(text.slice(at, at + 2))
        seam.flush()
      }
    }
  },
  {
    name: `seam: ${name}, said again in part`,
    size: usual,
    run: (n) => {
      const text = make(n)
      return () => {
        const seam = new Seam(text + " ".repeat(n))
        seam.push(`${" ".repeat(n)}${text.slice(0, n / 2)}x`)
        seam.flush()
      }
    }
  }
])

const others: ReadonlyArray<Case> = [
  {
    name: "continued stream: events",
    size: usual,
    run: (n) => () => {
      const joined = new Joined()
      joined.observe([{ _tag: "ResponseStart" }, { _tag: "TextStart", index: 0 }])
      for (let i = 0; i < n; i++) joined.observe([{ _tag: "TextDelta", index: 0, text: "word " }])
      joined.goOn(new Seam(joined.text))
      for (let i = 0; i < n; i++) joined.translate([{ _tag: "TextDelta", index: 0, text: "word " }], [])
    }
  },
  {
    name: "cache key: messages",
    size: usual,
    run: (n) => {
      const messages = many(n, () => ({ role: "user" as const, content: "a" }))
      return () => void keyText({ messages }, info, "", "")
    }
  },
  {
    name: "estimate: messages",
    size: usual,
    run: (n) => {
      const messages = many(n, () => ({ role: "user" as const, content: "a" }))
      return () => void inputTokens({ messages })
    }
  },
  {
    name: "configuration: unknown names",
    size: 2000,
    run: (n) => {
      // More than are compared.
      const known = many(Math.max(n, 200), (at) => `instance-${at}`)
      return () => {
        for (let at = 0; at < n; at++) Problems.unknownName(`other-${at}`, known)
      }
    }
  },
  {
    name: "headers: limits",
    size: usual,
    run: (n) => {
      const headers = Object.fromEntries(many(n, (at) => [`x-ratelimit-remaining-a${at}`, "0"]))
      return () => void RetryAfter.rateLimits(headers, 0)
    }
  }
]

export const texts: ReadonlyArray<Case> = [...framing, ...errors, ...partial, ...seams, ...others]
