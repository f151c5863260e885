/**
 * A request of HTTP as the server sides of the wires read it, and which wire it is of.
 *
 * Three wires ask for `/v1/models`: Google's and Anthropic's ways to send a key, and the version header, tell. What is of no wire is
 * answered in the words of the one that it resembles.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { MaxBodySize } from "effect/http/HttpIncomingMessage"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Scope } from "effect/Scope"
import { parseJson } from "../json/parse.ts"
import { server as anthropic } from "../protocol/anthropic/server/Server.ts"
import { server as chat } from "../protocol/chat/server/Server.ts"
import { server as gemini } from "../protocol/gemini/server/Server.ts"
import { server as responses } from "../protocol/responses/server/Server.ts"
import type { ErrorDetails, Headers, Incoming, Operation, ServerProtocol } from "../protocol/Server.ts"

/**
 * The wires that are served, in the order in which they are asked whether a request is theirs.
 *
 * @stability experimental
 * @category wires
 * @since 0.1.0
 */
const wires: ReadonlyArray<ServerProtocol> = [anthropic, gemini, responses, chat]

export { responses }

/**
 * The wire of a request and what it asks for; without an operation the wire that the request resembles.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const spokenIn = (
  incoming: Incoming
): { readonly wire: ServerProtocol; readonly operation: Operation | undefined } => {
  for (const wire of wires) {
    const operation = wire.operation(incoming)
    if (operation !== undefined) return { wire, operation }
  }
  const { headers, path, query } = incoming
  const wire = headers["anthropic-version"] !== undefined || headers["x-api-key"] !== undefined ||
      path.includes("/messages")
    ? anthropic
    : headers["x-goog-api-key"] !== undefined || query.has("key") || path.includes("/v1beta/")
    ? gemini
    : path.includes("/responses")
    ? responses
    : chat
  return { wire, operation: undefined }
}

/** A path below a prefix. Clients whose base URL ends in a slash ask for two in a row. */
const pathIn = (path: string, prefix: string): string => path.slice(prefix.length).replace(/^\/{2,}/, "/")

/**
 * A request without its body; its path is what follows the prefix.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const headOf = ({ headers, method, url }: HttpServerRequest, prefix: string): Incoming => {
  const at = url.indexOf("?")
  return {
    method,
    path: pathIn(at === -1 ? url : url.slice(0, at), prefix),
    query: new URLSearchParams(at === -1 ? "" : url.slice(at + 1)),
    headers: headers as Headers,
    body: undefined
  }
}

/**
 * The model that a path names, as `/v1/models/gpt-5` does; what is no percent encoding stands for itself.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const modelIn = ({ path }: Incoming): string => {
  const name = path.slice(path.lastIndexOf("/models/") + 8)
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/**
 * What a body may be.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface BodyLimits {
  readonly bytes: number
  readonly timeout: Duration.Input
}

const tooLarge: ErrorDetails = { status: 413, message: "The request is larger than this gateway takes." }

/**
 * The body of a request, parsed; `undefined` for one that is no JSON. What is too large, too slow or compressed is refused.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const bodyOf = (
  request: HttpServerRequest,
  { bytes, timeout }: BodyLimits
): Effect.Effect<{ readonly body: unknown } | { readonly refused: ErrorDetails }, never, Scope> => {
  const { headers } = request
  const encoding = headers["content-encoding"]
  if (encoding !== undefined && encoding !== "identity") {
    return Effect.succeed({ refused: { status: 415, message: "Compressed requests are not taken: send plain JSON." } })
  }
  // Said before anything is read.
  if (Number(headers["content-length"] ?? 0) > bytes) return Effect.succeed({ refused: tooLarge })
  return request.text.pipe(
    Effect.provideService(MaxBodySize, ByteSize.bytes(bytes)),
    Effect.map((text) => ({ body: text === "" ? undefined : parseJson(text) })),
    Effect.catch(({ reason }) =>
      Effect.succeed({
        refused: "reason" in reason && reason.reason === "BodyTooLarge"
          ? tooLarge
          : { status: 400, message: "The request could not be read." }
      })
    ),
    // Reading that is given up would close the connection before the refusal is sent.
    Effect.forkScoped,
    Effect.flatMap(Fiber.join),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.succeed({ refused: { status: 408, message: "The body of the request did not come in time." } })
    })
  )
}
