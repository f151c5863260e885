/**
 * Hosts that know several names for one thing send all of them and fill one; the others hold placeholders. On every wire the
 * filled one counts, wherever the placeholders stand and whatever they are.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import { type Frame, type Outcome, replay } from "./wire-replay.ts"

/** Where fields may be planted: objects whose path fits, and the fields that hosts are known to fill with nothing there. */
interface Site {
  readonly at: RegExp
  readonly names: ReadonlyArray<string>
  /** Whether only what has no fields is a placeholder: what the wire keeps as it is, or where an object of empty values is one. */
  readonly plain?: true
}

interface Wire {
  readonly wire: ReturnType<typeof replay>
  /** Fixtures in which an empty field is itself a statement of the wire. */
  readonly except?: ReadonlyArray<string>
  readonly sites: ReadonlyArray<Site>
}

const errors = ["error"]

const wires: { readonly [name: string]: Wire } = {
  chat: {
    wire: replay("openai-chat", OpenAiChat.make()),
    sites: [
      {
        at: /^$/,
        names: [
          ...errors,
          "usage",
          "x_groq",
          "citations",
          "search_results",
          "related_questions",
          "service_tier",
          "provider"
        ]
      },
      {
        at: /^choices\.\d+$/,
        names: [
          ...errors,
          "message",
          "delta",
          "text",
          "usage",
          "logprobs",
          "native_finish_reason",
          "stop_reason",
          "finishReason",
          "finish_reason"
        ]
      },
      {
        at: /^choices\.\d+\.(?:delta|message)$/,
        names: [
          "content",
          "text",
          "reasoning",
          "reasoning_content",
          "reasoning_text",
          "thinking",
          "refusal",
          "tool_calls",
          "function_call",
          "annotations",
          "images",
          "audio",
          "executed_tools",
          "extra_content"
        ]
      },
      { at: /tool_calls\.\d+$/, names: ["function", "custom", "call_id", "tool_call_id", "input", "parameters"] },
      { at: /tool_calls\.\d+\.function$/, names: ["input", "parameters"] }
    ]
  },
  anthropic: {
    wire: replay("anthropic-messages", AnthropicMessages.make()),
    sites: [
      { at: /^$/, names: [...errors, "usage", "message", "content_block"], plain: true },
      { at: /^message$/, names: [...errors, "container", "stop_details"], plain: true },
      {
        at: /^delta$/,
        names: ["text", "thinking", "partial_json", "signature", "citation", "usage", "container"],
        plain: true
      },
      { at: /^(?:content_block|content\.\d+)$/, names: ["citations", "signature", "arguments", "parameters"] }
    ]
  },
  responses: {
    wire: replay("openai-responses", OpenAiResponses.make(), "openai"),
    sites: [
      { at: /^$/, names: [...errors, "usage"] },
      { at: /^response$/, names: [...errors, "output_text", "incomplete_details"] },
      { at: /(?:^item|output\.\d+)$/, names: ["text", "function", "parameters", "encrypted_content", "phase"] },
      { at: /content\.\d+$/, names: ["refusal", "annotations", "logprobs"] }
    ]
  },
  gemini: {
    wire: replay("gemini", GeminiGenerateContent.make()),
    // `functionCall: {}` alone ends a call that comes in pieces.
    except: ["partial-args", "partial-args-none", "partial-args-unclosed"],
    sites: [
      {
        at: /^$/,
        names: [...errors, "response", "promptFeedback", "usageMetadata", "usage_metadata", "prompt_feedback"]
      },
      {
        at: /^candidates\.\d+$/,
        names: [
          "finishReason",
          "finish_reason",
          "groundingMetadata",
          "citationMetadata",
          "safetyRatings",
          "logprobsResult"
        ]
      },
      {
        at: /content\.parts\.\d+$/,
        names: [
          "text",
          "functionCall",
          "function_call",
          "inlineData",
          "inline_data",
          "fileData",
          "executableCode",
          "codeExecutionResult",
          "functionResponse",
          "toolCall"
        ]
      },
      { at: /functionCall$/, names: ["arguments", "id"] }
    ]
  },
  ollama: {
    wire: replay("ollama-chat", OllamaChat.make()),
    sites: [
      { at: /^$/, names: [...errors, "message", "response", "thinking", "image", "logprobs", "done_reason"] },
      { at: /^message$/, names: ["content", "thinking", "reasoning", "images", "tool_calls"] },
      { at: /tool_calls\.\d+(?:\.function)?$/, names: ["parameters", "input", "function"] }
    ]
  },
  cohere: {
    wire: replay("cohere-chat", CohereChat.make()),
    sites: [
      { at: /^$/, names: [...errors, "usage", "logprobs"] },
      { at: /^delta$/, names: [...errors, "usage"] },
      { at: /^(?:delta\.)?message$/, names: ["citations", "tool_plan"] },
      { at: /content(?:\.\d+)?$/, names: ["text", "thinking"] },
      { at: /tool_calls(?:\.\d+)?$/, names: ["function", "parameters"] }
    ]
  },
  bedrock: {
    wire: replay("bedrock", BedrockConverse.make()),
    // A delta of `citation: {}` alone is a citation.
    except: ["citations"],
    sites: [
      { at: /^$/, names: [...errors, "trace", "metrics", "additionalModelResponseFields"], plain: true },
      {
        at: /^(?:delta|start|output\.message\.content\.\d+)$/,
        names: ["text", "toolUse", "reasoningContent", "citation", "image", "citationsContent", "toolResult"]
      },
      { at: /toolUse$/, names: ["arguments", "parameters"] }
    ]
  }
}

const empties: ReadonlyArray<unknown> = [null, "", {}, []]

const placeholders: ReadonlyArray<unknown> = [
  ...empties,
  false,
  [{}],
  { name: "", input: "" },
  { role: "", content: "", text: null },
  { code: null, message: "", type: "" },
  { text: "", id: "", arguments: {} }
]

const planted = (value: unknown, sites: ReadonlyArray<Site>, pick: () => number, path = ""): unknown => {
  if (typeof value !== "object" || value === null) return value
  const inner = (key: string): string => path === "" ? key : `${path}.${key}`
  if (Array.isArray(value)) return value.map((one, at) => planted(one, sites, pick, inner(String(at))))
  const fields: Record<string, unknown> = {}
  for (const [key, child] of Object.entries(value)) fields[key] = planted(child, sites, pick, inner(key))
  for (const site of sites) {
    if (!site.at.test(path)) continue
    for (const name of site.names) {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      if ((fields[name] ?? undefined) !== undefined) continue
      const chosen = pick()
      // Two spellings of one field are two places, of which one may be filled.
      if (chosen % 3 === 0 || (snake !== name && fields[snake] !== undefined && chosen % 2 === 0)) continue
      const from = site.plain === true ? empties : placeholders
      fields[name] = from[chosen % from.length]
    }
  }
  return fields
}

/** All that a caller sees of an answer, without the raw forms that the placeholders stand in. */
const seen = ({ failure, response }: Outcome): unknown => ({
  failure: failure?.kind,
  ...(response === undefined ? undefined : {
    parts: JSON.parse(
      JSON.stringify(
        response.parts,
        (key, value) => key === "raw" || key === "replay" || key === "data" ? undefined : value
      )
    ),
    finish: [response.finishReason, response.rawFinishReason],
    usage: [response.usage.input, response.usage.output],
    extra: response.extra,
    logprobs: response.logprobs
  })
})

const isComplete = (outcome: Outcome): boolean => outcome.response !== undefined

const numbers = fc.array(fc.nat(9999), { minLength: 40, maxLength: 40 })

const picker = (given: ReadonlyArray<number>): () => number => {
  let at = 0
  return () => given[at++ % given.length]!
}

for (const [name, { except = [], sites, wire }] of Object.entries(wires)) {
  describe(`${name}: placeholders`, () => {
    const streams = wire.streams.filter((one) => !except.includes(one) && isComplete(wire.stream(one)))
    const bodies = wire.bodies.filter((one) => isComplete(wire.whole(one)))

    it.each(streams)("change nothing in stream %s", (one) => {
      const frames = wire.framesOf(one)
      const expected = seen(wire.replayFrames(frames))
      fc.assert(
        fc.property(numbers, (given) => {
          const pick = picker(given)
          const changed = frames.map((frame): Frame => {
            try {
              return { event: frame.event, data: JSON.stringify(planted(JSON.parse(frame.data), sites, pick)) }
            } catch {
              return frame
            }
          })
          assert.deepStrictEqual(seen(wire.replayFrames(changed)), expected)
        }),
        { numRuns: 12, seed: 20261210 }
      )
    })

    it.each(bodies)("change nothing in body %s", (one) => {
      const body: unknown = JSON.parse(wire.read(one, "json"))
      const expected = seen(wire.wholeBody(body))
      fc.assert(
        fc.property(numbers, (given) => {
          assert.deepStrictEqual(seen(wire.wholeBody(planted(body, sites, picker(given)))), expected)
        }),
        { numRuns: 25, seed: 20261211 }
      )
    })
  })
}
