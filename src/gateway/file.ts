/**
 * A configuration file with a `[gateway]` table: the instances and the gateway in front of them, or every problem of both.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Toml from "effect/encoding/Toml"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as LlmConfig from "../config/LlmConfig.ts"
import { parseJson } from "../json/parse.ts"
import { isLlmError, type LlmError } from "../LlmError.ts"
import { isRecord } from "../validation/values.ts"
import { decode, type GatewayConfig, sentencesOf, targetsOf } from "./config.ts"

/**
 * What a file says.
 *
 * @category models
 * @since 0.1.0
 */
export interface Configured {
  readonly llm: LlmConfig.LlmConfig
  readonly gateway: GatewayConfig
}

const tableOf = (text: string, format: LlmConfig.Format): unknown => {
  if (format === "json") return parseJson(text)
  const parsed = Toml.parse(text)
  return Result.isSuccess(parsed) ? parsed.success : undefined
}

/**
 * Reads a file. Fails with one text per problem.
 *
 * @category reading
 * @since 0.1.0
 */
export const read = (
  path: string
): Effect.Effect<Configured, ReadonlyArray<string>, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const format = yield* LlmConfig.formatOf(path)
    const text = yield* LlmConfig.readText(path)
    const table = tableOf(text, format)
    if (!isRecord(table) || !("gateway" in table)) {
      const llm = yield* LlmConfig.parse(text, format, path)
      return { llm, gateway: {} }
    }
    const { gateway, ...others } = table
    const llm = yield* Effect.result(LlmConfig.decode(others))
    const decoded = decode(gateway, Result.isSuccess(llm) ? targetsOf(llm.success) : undefined)
    if (Result.isSuccess(llm) && Result.isSuccess(decoded)) return { llm: llm.success, gateway: decoded.success }
    return yield* Effect.fail([
      ...(Result.isFailure(llm) ? [llm.failure.reason.message] : []),
      ...(Result.isFailure(decoded) ? sentencesOf(decoded.failure) : [])
    ])
  }).pipe(
    Effect.mapError((error: LlmError | ReadonlyArray<string>) => isLlmError(error) ? [error.reason.message] : error)
  )
