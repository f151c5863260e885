/**
 * A configuration file with a `[gateway]` table: the instances and the gateway in front of them, or every problem of both.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as LlmConfig from "../config/LlmConfig.ts"
import { parseText } from "../config/reading.ts"
import { isLlmError, type LlmError } from "../LlmError.ts"
import * as Body from "../protocol/server/Json.ts"
import { GatewayConfig, problemsOf, shapeOf, targetsOf } from "./config.ts"

/**
 * What a file says.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Configured {
  readonly llm: LlmConfig.LlmConfig
  readonly gateway: GatewayConfig
}

const options = { extensions: { gateway: GatewayConfig } }

const sentence = (file: string) => ({ line, message, path }: LlmConfig.Problem): string =>
  `${file}${line === undefined ? "" : `:${line}`}: ${path === "" ? "" : `${path}: `}${message}`

/** What is wrong between the gateway and what it stands in front of, though that may have problems of its own. */
const between = (text: string, format: LlmConfig.Format): ReadonlyArray<string> => {
  const parsed = parseText(text, format)
  const { gateway, instances, routes } = Body.object(Result.isSuccess(parsed) ? parsed.success : undefined)
  const shape = shapeOf(gateway)
  // Whatever its instances are like: their names count.
  const names = { instances: Body.object(instances), routes: Body.object(routes) } as Parameters<typeof targetsOf>[0]
  return shape === undefined ? [] : problemsOf(shape, targetsOf(names))
}

/**
 * Reads a file. Fails with one text per problem.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const read = (path: string): Effect.Effect<Configured, ReadonlyArray<string>, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const format = yield* LlmConfig.formatOf(path)
    const text = yield* LlmConfig.readText(path)
    const found = [
      ...LlmConfig.problems(text, format, options).map(sentence(path)),
      ...between(text, format).map((problem) => `${path}: ${problem}`)
    ]
    if (found.length > 0) return yield* Effect.fail(found)
    const llm = yield* LlmConfig.parse(text, format, path, options)
    return { llm, gateway: (yield* LlmConfig.extension(llm, "gateway", GatewayConfig)) ?? {} }
  }).pipe(
    Effect.mapError((error: LlmError | ReadonlyArray<string>) => isLlmError(error) ? [error.reason.message] : error)
  )
