/**
 * What the types of `promise` promise. Checked by `tsc`; nothing runs.
 */
import { type Context, type Layer, Schema } from "effect"
import type { LlmEvent, LlmResponse, LlmService } from "../../src/index.ts"
import { Anthropic } from "../../src/index.ts"
import * as Llm from "../../src/promise.ts"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(): T => true as T

declare const signal: AbortSignal
declare const custom: Layer.Layer<LlmService.LlmService, Error>
declare const needy: Layer.Layer<LlmService.LlmService, never, Context.Service<"Other", string>>
declare class Needed extends Schema.Class<Needed>("Needed")({}) {}

// Layers that need an HTTP client, and those that need nothing.
export const llm = Llm.make(Anthropic.layerEnv)
export const other = Llm.make(custom)
// @effect-diagnostics missingLayerContext:off
// @ts-expect-error: what else a layer needs has to be provided.
export const lacking = Llm.make(needy)

export const whole = llm.generate({ prompt: "x" }, { signal })
holds<Equals<typeof whole, Promise<LlmResponse.LlmResponse>>>()
export const streamed = llm.stream({ prompt: "x" }, { signal })
holds<Equals<typeof streamed, AsyncIterable<LlmEvent.LlmEvent>>>()
export const value = llm.generateObject(Schema.Struct({ a: Schema.Finite }), { prompt: "x" }, { signal, retries: 1 })
holds<Equals<typeof value, Promise<LlmService.ObjectResponse<{ readonly a: number }>>>>()
export const disposed = llm[Symbol.asyncDispose]()
holds<Equals<typeof disposed, PromiseLike<void>>>()
// @ts-expect-error: a request has messages or a prompt.
export const empty = llm.generate({})
export const needed = llm.generateObject(Needed, { prompt: "x" })
