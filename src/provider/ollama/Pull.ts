/**
 * Pulling a model: downloads it to an Ollama server, with progress.
 *
 * It goes through the same transport as a call, so that errors, redirects, limits and secrets are handled alike; its
 * progress lines travel through it as opaque parts. Pulling a model that is there already takes a moment and ends well.
 *
 * @see https://docs.ollama.com/api/pull
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { jsonText } from "../../json/text.ts"
import * as LlmError from "../../LlmError.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { Assembler } from "../../protocol/assembling.ts"
import { readErrorBody } from "../../protocol/errors/ErrorBody.ts"
import { type DecodeContext, type Decoder, type Failure, parseFrame, type Protocol } from "../../protocol/Protocol.ts"
import { optionsIssue } from "../../service/checked.ts"
import * as Transport from "../../transport/Transport.ts"
import { credential } from "../../validation/credential.ts"
import { sentHeaders } from "../../validation/headers.ts"
import { duration, fields, flag, optional } from "../../validation/values.ts"
import { readBaseUrl } from "../baseUrl.ts"
import { parts } from "../Credentials.ts"
import { common } from "../options.ts"
import type { Credentials } from "../Provider.ts"
import { cloudUrl, localUrl, serverUrl } from "./Host.ts"

/**
 * A step of a pull.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface PullProgress {
  /** What the server is doing: `pulling manifest`, `pulling <layer>`, `verifying sha256 digest`, … and last `success`. */
  readonly status: string
  /** The layer that is being downloaded. */
  readonly digest?: string | undefined
  /** Bytes of the layer. */
  readonly total?: number | undefined
  /** Bytes of the layer that are there. */
  readonly completed?: number | undefined
}

/**
 * How a model is pulled.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface PullOptions {
  /** The server, as a URL or in the forms of `OLLAMA_HOST`. @default "http://127.0.0.1:11434" */
  readonly baseUrl?: string | undefined
  /** For servers behind a proxy that asks for a key. */
  readonly apiKey?: Redacted.Redacted<string> | Credentials | undefined
  /** Allows registries without TLS, for registries of one's own only. @default false */
  readonly insecure?: boolean | undefined
  /** Extra headers, such as those of a proxy. @default none */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** Longest silence between two lines; verifying a large model is silent. @default "10 minutes" */
  readonly idle?: Duration.Input | undefined
}

class PullDecoder implements Decoder {
  readonly assembler: Assembler
  readonly settled = false
  private lines = 0

  constructor(context: DecodeContext) {
    this.assembler = new Assembler(context)
  }

  frame(data: string): void {
    if (this.assembler.finished || this.assembler.failure !== undefined) return
    const line: unknown = parseFrame(this.assembler, data)
    if (typeof line === "object" && line !== null && !Array.isArray(line)) this.line(line as JsonObject)
  }

  whole(body: Json): void {
    if (typeof body === "object" && body !== null && !Array.isArray(body)) this.line(body as JsonObject)
  }

  end(): void {
    const message = "The pull ended before it succeeded."
    if (!this.assembler.finished) this.assembler.fail({ kind: "incomplete", message })
  }

  private line(line: JsonObject): void {
    if (line["error"] !== undefined && line["error"] !== null) return this.assembler.fail(failureOf(line))
    if (typeof line["status"] !== "string") return
    // Not through the assembler, which would keep every line of a download of hours.
    this.assembler.start()
    const part = {
      type: "server-tool",
      name: "pull",
      kind: "block",
      data: line,
      origin: this.assembler.origin
    } as const
    this.assembler.out.push({ _tag: "ServerTool", index: this.lines++, part })
    if (line["status"] === "success") this.assembler.finish("stop", line["status"])
  }
}

/** The server tells why in words only: https://github.com/ollama/ollama/blob/main/server/images.go */
const failureOf = (line: JsonObject): Failure => {
  const read = readErrorBody(line)
  const message = read?.message ?? "The server could not pull the model."
  const unknownModel = /file does not exist|not found|manifest unknown/i.test(message)
  return {
    kind: "provider",
    ...read,
    message,
    ...(unknownModel && read?.status === undefined ? { status: 404 } : undefined),
    body: JSON.stringify(line)
  }
}

const protocol: Protocol = {
  wire: "ollama-pull",
  framing: "ndjson",
  encoder: ({ model }) => ({ path: "/api/pull", body: { model, stream: true }, warnings: [] }),
  decoder: (context) => new PullDecoder(context)
}

const count = (value: Json | undefined): number | undefined => typeof value === "number" ? value : undefined

const progressOf = (line: JsonObject): PullProgress => {
  const total = count(line["total"])
  const completed = count(line["completed"])
  return {
    status: String(line["status"]),
    ...(typeof line["digest"] === "string" ? { digest: line["digest"] } : undefined),
    ...(total === undefined ? undefined : { total }),
    ...(completed === undefined ? undefined : { completed })
  }
}

const { apiKey, baseUrl, headers } = common

const pullOptions = fields({
  baseUrl: baseUrl!,
  apiKey: apiKey!,
  insecure: optional(flag),
  headers: headers!,
  idle: optional(duration)
})

/**
 * Downloads a model to a server. The stream ends after `success`, and fails with the reason: `NotFound` for a model that
 * no registry has, `Network` when the server cannot be reached, `IncompleteStream` when it stopped half-way. Ending
 * the stream early stops the download; a later pull goes on from there.
 *
 * @example
 * ```ts
 * yield* Ollama.pull("qwen3:8b").pipe(
 *   Stream.runForEach(({ status, completed, total }) => Console.log(status, completed, total))
 * )
 * ```
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const pull = (
  model: string,
  options: PullOptions = {}
): Stream.Stream<PullProgress, LlmError.LlmError, HttpClient.HttpClient> =>
  Stream.unwrap(Effect.gen(function*() {
    const name = typeof model === "string" ? model : ""
    const failed = (reason: LlmError.Reason) =>
      new LlmError.LlmError({ provider: "ollama", model: name, operation: "models", reason, attempts: 1 })
    const misconfigured = (field: string, message: string) =>
      failed(new LlmError.Configuration({ field, message: `${field}: ${message}` }))
    if (name.trim() === "") {
      return yield* failed(new LlmError.Validation({ field: "model", message: "model: Is empty: name one." }))
    }
    const wrong = optionsIssue(pullOptions, options)
    if (wrong !== undefined) return yield* misconfigured(wrong.field, wrong.message)
    const base = readBaseUrl({ name: "Ollama", baseUrl: localUrl, baseUrlOf: serverUrl }, options.baseUrl)
    if ("_tag" in base) return yield* failed(base)
    if (base.origin === cloudUrl) {
      return yield* misconfigured(
        "baseUrl",
        `Models are pulled to a server of one's own, given as a URL such as ${localUrl}.`
      )
    }
    const found = yield* parts(options.apiKey).get ?? Effect.undefined
    const unfitKey = optionsIssue(optional(credential), found)
    if (unfitKey !== undefined) return yield* misconfigured("apiKey", unfitKey.message)
    const key = found === undefined ? undefined : Redacted.value(found).trim()
    const idle = options.idle ?? "10 minutes"
    const transport = Transport.make(yield* HttpClient.HttpClient)
    const events = transport.stream({
      protocol,
      provider: "ollama",
      model,
      operation: "models",
      url: base.withQuery(`${base.url}/api/pull`),
      headers: sentHeaders({
        ...options.headers,
        ...(key === undefined ? undefined : { authorization: `Bearer ${key}` })
      }),
      body: jsonText({ model, stream: true, ...(options.insecure === true ? { insecure: true } : undefined) }),
      secrets: key === undefined ? [] : [key],
      // Progress is no content: what the first token waits for never comes.
      timeouts: { connect: idle, idle, firstToken: "365 days" },
      warnings: [],
      includeRaw: false,
      idSeed: ""
    })
    return Stream.filterMap(events, (event) =>
      event._tag === "ServerTool" ? Result.succeed(progressOf(event.part.data)) : Result.failVoid)
  }))
