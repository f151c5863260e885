/**
 * Writes answers of Ollama's native chat API: https://docs.ollama.com/api/chat
 *
 * Calls come whole, with object arguments; a broken argument text is sent as the string it is.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../../LlmEvent.ts"
import type { LlmResponse } from "../../../LlmResponse.ts"
import type { Json, JsonObject, Part, ToolCallPart } from "../../../Message.ts"
import type { AnswerContext, EncodedAnswer } from "../../Server.ts"
import { argumentObject, countsOf, Encoding, finishWord, type FinishWords, Losses } from "../../server/Answers.ts"

const words: FinishWords = {
  usual: {
    stop: "stop",
    length: "length",
    "tool-calls": "stop",
    "content-filter": "stop",
    refusal: "stop",
    pause: "stop",
    "context-window": "length",
    error: "error",
    other: "stop"
  },
  own: {}
}

// No clock: a moment that is given, as the API writes it.
// @effect-diagnostics-next-line globalDate:off
const timeOf = ({ created }: AnswerContext): string => new Date(created * 1000).toISOString().replace("Z", "000Z")

const callOf = (call: ToolCallPart, index: number): JsonObject => ({
  id: call.id,
  function: { index, name: call.name, arguments: argumentObject(call) }
})

/** Times say nothing of an answer: they are made up. */
const endOf = (response: LlmResponse): JsonObject => {
  const { input, output } = countsOf(response.usage)
  return {
    done: true,
    done_reason: finishWord(response, words),
    total_duration: 120_000_000,
    load_duration: 20_000_000,
    prompt_eval_count: input,
    prompt_eval_duration: 30_000_000,
    eval_count: output,
    eval_duration: 70_000_000,
    ...(Array.isArray(response.logprobs) ? { logprobs: response.logprobs as ReadonlyArray<Json> } : undefined)
  }
}

const imageOf = (part: Part, losses: Losses): ReadonlyArray<string> => {
  if (part.type === "image" && part.source.type === "base64") return [part.source.data]
  losses.part(part)
  return []
}

/**
 * A whole answer.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encodeAnswer = (response: LlmResponse, context: AnswerContext): EncodedAnswer => {
  const losses = new Losses()
  const { parts, reasoningText: thinking, text: content } = response
  const calls = parts.filter((part) => part.type === "tool-call")
  const others = parts.filter((part) => part.type !== "tool-call" && part.type !== "text" && part.type !== "reasoning")
  const images = others.flatMap((part) => imageOf(part, losses))
  return {
    body: {
      model: response.model,
      created_at: timeOf(context),
      message: {
        role: "assistant",
        content,
        ...(thinking === "" ? undefined : { thinking }),
        ...(images.length === 0 ? undefined : { images }),
        ...(calls.length === 0 ? undefined : { tool_calls: calls.map(callOf) })
      },
      ...endOf(response)
    },
    warnings: losses.warnings
  }
}

/**
 * A line of a stream.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const line = (payload: unknown): string => `${JSON.stringify(payload)}\n`

/** A streamed answer. @stability experimental @category encoding @since 0.1.0 */
export class OllamaAnswer extends Encoding {
  private readonly head: { model: string; readonly created_at: string }
  private calls = 0

  constructor(context: AnswerContext) {
    super()
    this.head = { model: "", created_at: timeOf(context) }
  }

  protected on(event: LlmEvent): void {
    switch (event._tag) {
      case "ResponseStart":
        this.head.model = event.model ?? ""
        return
      case "TextDelta":
        return this.send({ content: event.text })
      case "ReasoningDelta":
        return this.send({ content: "", thinking: event.text })
      case "ToolCallEnd":
        return this.send({ content: "", tool_calls: [callOf(event.part, this.calls++)] })
      case "File":
      case "Source":
      case "ServerTool": {
        const images = imageOf(event.part, this.losses)
        return images.length === 0 ? undefined : this.send({ content: "", images })
      }
      case "Finish":
        if (this.head.model === "") this.head.model = event.response.model
        return this.push(
          "terminal",
          line({ ...this.head, message: { role: "assistant", content: "" }, ...endOf(event.response) })
        )
    }
  }

  private send(message: JsonObject): void {
    this.push("content", line({ ...this.head, message: { role: "assistant", ...message }, done: false }))
  }
}
