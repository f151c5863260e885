/**
 * What the simulator adds to the servers of `protocol`: numbered ids in each vendor's style, the limits that vendors tell in headers, models
 * that exist unless it is told which, and frames that are broken.
 *
 * @since 0.1.0
 */
import { eventStreamMessage } from "../../protocol/bedrock/server/EventStreamMessage.ts"
import type { AnswerContext, Headers, Incoming, ServerProtocol } from "../../protocol/Server.ts"
import * as Json from "../../protocol/server/Json.ts"

/**
 * A request as it came to the simulator.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface IncomingRequest extends Incoming {
  /** Number of the request on this simulator, from 1. */
  readonly number: number
  /** The body as it came, JSON or not. */
  readonly bodyText: string
}

/** Which call of an answer: its place among the parts and among the calls. */
interface Call {
  readonly name: string
  readonly part: number
  readonly call: number
}

/**
 * A vendor as the simulator plays it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Vendor {
  readonly requestId: (number: string) => string
  readonly answerId: (number: string) => string
  /** The id of a call that the script gives none; empty where the vendor sends none. */
  readonly callId: (number: string, call: Call) => string
  readonly headers: (number: number) => Headers
  /** Models that are listed when the simulator is not told which exist. */
  readonly usualModels: ReadonlyArray<string>
  /** A frame whose payload is broken. */
  readonly malformed: string | Uint8Array
  /** Whether the built-in model's reasoning is shown to who asks so. */
  readonly showsReasoning: (body: Json.JsonObject) => boolean
  /** Reasoning that comes encrypted wherever it may. */
  readonly encrypted?: string | undefined
}

const uuid = (number: string): string => `00000000-0000-4000-8000-${number.padStart(12, "0")}`

// https://docs.claude.com/en/api/rate-limits#response-headers
const anthropicLimits = [["requests", 4000, 1], ["input-tokens", 400_000, 1000], [
  "output-tokens",
  80_000,
  100
]] as const

const anthropic: Vendor = {
  requestId: (number) => `req_sim${number}`,
  answerId: (number) => `msg_sim${number}`,
  callId: (number, { part }) => `toolu_sim${number}_${part}`,
  headers: (number) => ({
    "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
    ...Object.fromEntries(
      anthropicLimits.flatMap(([name, limit, each]) => [
        [`anthropic-ratelimit-${name}-limit`, String(limit)],
        [`anthropic-ratelimit-${name}-remaining`, String(Math.max(0, limit - number * each))],
        [`anthropic-ratelimit-${name}-reset`, "2026-01-01T00:01:00Z"]
      ])
    )
  }),
  usualModels: ["claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"],
  malformed: "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"del\n\n",
  showsReasoning: () => true
}

const openAi: Vendor = {
  requestId: (number) => `req_sim${number}`,
  answerId: (number) => `chatcmpl-sim${number}`,
  callId: (number, { call }) => `call_sim${number}_${call}`,
  headers: (number) => ({
    "openai-organization": "org-simulator",
    "openai-processing-ms": "12",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-limit-tokens": "2000000",
    "x-ratelimit-remaining-requests": String(Math.max(0, 10_000 - number)),
    "x-ratelimit-remaining-tokens": String(Math.max(0, 2_000_000 - number * 1000)),
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "30ms"
  }),
  usualModels: ["gpt-4.1", "gpt-4.1-mini", "gpt-4o-mini"],
  malformed: "data: {\"id\":\"chatcmpl-sim\",\"object\":\"chat.completion.chunk\",\"choi\n\n",
  // Chat Completions counts reasoning but never shows it.
  showsReasoning: () => false
}

const vendors: { readonly [wire: string]: Vendor } = {
  "anthropic-messages": anthropic,
  "openai-chat": openAi,
  "openai-responses": {
    ...openAi,
    answerId: (number) => `resp_sim${number}`,
    callId: (number, { part }) => `call_sim${number}_${part}`,
    malformed: "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"del\n\n",
    // Reasoning shows only in summaries, which have to be asked for.
    showsReasoning: (body) => typeof Json.object(body.reasoning).summary === "string",
    encrypted: "c2ltdWxhdG9yLXJlYXNvbmluZw=="
  },
  "gemini-generate-content": {
    requestId: (number) => `sim${number}`,
    answerId: (number) => `sim${number}`,
    callId: () => "",
    headers: () => ({ "x-gemini-service-tier": "standard" }),
    usualModels: ["gemini-3.5-flash", "gemini-3.1-pro-preview", "gemini-2.5-flash"],
    malformed: "data: {\"candidates\": [{\"content\": {\"par\r\n\r\n",
    showsReasoning: (body) => Json.object(Json.object(body.generationConfig).thinkingConfig).includeThoughts === true
  },
  "bedrock-converse": {
    requestId: uuid,
    answerId: uuid,
    callId: (number, { part }) => `tooluse_sim${number}_${part}`,
    headers: () => ({}),
    usualModels: ["anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-lite-v1:0"],
    malformed: eventStreamMessage(
      { ":event-type": "contentBlockDelta", ":content-type": "application/json", ":message-type": "event" },
      "{\"contentBlockIndex\":0,\"del"
    ),
    showsReasoning: () => true
  },
  "cohere-chat": {
    requestId: (number) => `sim${number}`,
    answerId: uuid,
    callId: (number, { call, name }) => `${name}_sim${number}${call}`,
    headers: () => ({ "x-endpoint-monthly-call-limit": "1000" }),
    usualModels: ["command-a-03-2025", "command-r7b-12-2024"],
    malformed: "event: content-delta\ndata: {\"type\":\"content-delta\",\"ind\n\n",
    showsReasoning: () => true
  },
  "ollama-chat": {
    requestId: (number) => `sim${number}`,
    answerId: (number) => `sim${number}`,
    callId: (number, { call }) => `call_sim${number}_${call}`,
    headers: () => ({}),
    usualModels: ["qwen3:8b", "gpt-oss:20b"],
    malformed: "{\"model\":\"sim\",\"mess\n",
    showsReasoning: () => true
  }
}

/**
 * Whom a wire is of.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const vendorOf = ({ wire }: ServerProtocol): Vendor => vendors[wire] ?? openAi

/**
 * A counted number in the form that ids end in.
 *
 * @stability stable
 * @category counting
 * @since 0.1.0
 */
export const idNumber = (number: number): string => String(number).padStart(6, "0")

// Seconds of 2026-01-01T00:00:00Z: answers are the same on every day.
const created = 1_767_225_600

/**
 * What answers to a request are written for.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const contextOf = (request: IncomingRequest, wire: ServerProtocol): AnswerContext => ({
  incoming: request,
  requestId: vendorOf(wire).requestId(idNumber(request.number)),
  created
})
