/**
 * A service of ours as a language model of the AI SDK.
 *
 * @since 0.1.0
 */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult
} from "@ai-sdk/provider"
import * as DateTime from "effect/DateTime"
import * as Exit from "effect/Exit"
import { IncompleteStream, LlmError } from "../../LlmError.ts"
import { isContent, type LlmEvent } from "../../LlmEvent.ts"
import type { Service } from "../../LlmService.ts"
import { type Outside, type Reader, readerOf } from "../../stream/outside.ts"
import { aboutAnswer, finishReason, PartsOut, usageOf, warningsOf } from "./answer.ts"
import { abortOf, aiSdkError, errorOf, promptError } from "./errors.ts"
import { type Asked, requestOf } from "./request.ts"

const now = (): Date => DateTime.toDateUtc(DateTime.nowUnsafe())

/** What is no prompt at all is refused as such. */
const askedFor = (options: LanguageModelV4CallOptions, { info }: Service): Asked => {
  try {
    return requestOf(options, info.provider)
  } catch (cause) {
    throw promptError(options?.prompt, cause)
  }
}

const generate = async (
  service: Service,
  outside: Outside,
  options: LanguageModelV4CallOptions
): Promise<LanguageModelV4GenerateResult> => {
  const { request, toolNames, warnings } = askedFor(options, service)
  const { abortSignal: signal } = options
  if (signal?.aborted === true) throw abortOf(signal)
  const exit = await outside.run(service.generate(request), signal)
  if (Exit.isFailure(exit)) throw errorOf(exit.cause, signal)
  const response = exit.value
  const parts = new PartsOut(toolNames)
  return {
    content: response.parts.flatMap((part, index) => parts.content(part, index)),
    finishReason: finishReason(response),
    usage: usageOf(response.usage),
    ...aboutAnswer(response),
    response: {
      timestamp: now(),
      modelId: response.model,
      ...(response.id === undefined ? undefined : { id: response.id }),
      ...(response.raw === undefined ? undefined : { body: response.raw })
    },
    warnings: [...warnings, ...warningsOf(response.warnings)]
  }
}

// =============================================================================
// Streams
// =============================================================================

/** A stream without `Finish` is no answer, whoever made it. */
const incomplete = ({ info }: Service): LlmError =>
  new LlmError({
    provider: info.provider,
    model: info.model,
    label: info.label,
    operation: "stream",
    reason: new IncompleteStream({ message: "The stream ended before its terminal event." }),
    attempts: 1
  })

/** A stream that is being read. */
class Reading {
  ready: Array<LanguageModelV4StreamPart>
  begun = false
  done = false
  private readonly service: Service
  private readonly reader: Reader<LlmEvent, LlmError>
  private readonly parts: PartsOut
  private readonly timestamp = now()
  private readonly signal: AbortSignal | undefined

  constructor(service: Service, outside: Outside, { request, toolNames, warnings }: Asked, signal?: AbortSignal) {
    this.service = service
    this.signal = signal
    this.reader = readerOf(outside, service.stream(request), signal)
    this.parts = new PartsOut(toolNames)
    this.ready = [{ type: "stream-start", warnings: [...warnings] }]
  }

  /** Reads once, and throws when that fails. */
  async read(): Promise<void> {
    const exit = await this.reader.next()
    if (exit === undefined) {
      throw this.signal?.aborted === true ? abortOf(this.signal) : aiSdkError(incomplete(this.service))
    }
    if (Exit.isFailure(exit)) throw errorOf(exit.cause, this.signal)
    for (const event of exit.value) {
      if (event._tag === "Finish") {
        this.done = true
        this.ready.push(...this.parts.finish(event.response))
        return this.close()
      }
      this.begun ||= isContent(event)
      this.ready.push(...this.parts.event(event, this.timestamp))
    }
  }

  close(): Promise<void> {
    return this.reader.close()
  }
}

const stream = async (
  service: Service,
  outside: Outside,
  options: LanguageModelV4CallOptions
): Promise<LanguageModelV4StreamResult> => {
  const { abortSignal: signal } = options
  if (signal?.aborted === true) throw abortOf(signal)
  const reading = new Reading(service, outside, askedFor(options, service), signal)
  // Up to the first content a failure is that of the call, which can be made again.
  while (!reading.begun && !reading.done) await reading.read()
  return {
    stream: new ReadableStream<LanguageModelV4StreamPart>({
      pull: async (controller) => {
        try {
          // An array of events may say nothing in the AI SDK's words.
          while (reading.ready.length === 0 && !reading.done) await reading.read()
        } catch (error) {
          if (signal?.aborted === true) return controller.error(abortOf(signal))
          controller.enqueue({ type: "error", error })
          return controller.close()
        }
        const { ready } = reading
        reading.ready = []
        for (const part of ready) controller.enqueue(part)
        if (reading.done) controller.close()
      },
      cancel: () => reading.close()
    }, { highWaterMark: 0 })
  }
}

/**
 * A language model over a service that is, or will be, there.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const modelOver = (
  info: () => { readonly provider: string; readonly modelId: string },
  supportedUrls: LanguageModelV4["supportedUrls"],
  service: (signal: AbortSignal | undefined) => Promise<Service>,
  outside: Outside
): LanguageModelV4 => ({
  specificationVersion: "v4",
  get provider() {
    return info().provider
  },
  get modelId() {
    return info().modelId
  },
  supportedUrls,
  doGenerate: async (options) => generate(await service(options.abortSignal), outside, options),
  doStream: async (options) => stream(await service(options.abortSignal), outside, options)
})
