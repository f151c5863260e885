/**
 * Errors inside an answer: exceptions of the event stream and error bodies with status 200.
 *
 * Only reads them; the reason they deserve is decided by the transport from type, code, status and message.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
 *
 * @since 0.1.0
 */
import { readErrorBody } from "../errors/ErrorBody.ts"
import { parsed } from "../Probe.ts"
import type { Failure } from "../Protocol.ts"

/**
 * The failure that a payload reports. `type` is the name of the exception, empty when only the payload can tell.
 * The status is the one that the model's own host gave, where the payload names it.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const exceptionFailure = (payload: string, type: string): Failure => {
  const value = parsed(payload)
  const found = readErrorBody(value)
  const name = type === "" ? found?.type : type
  const plain = value === undefined ? payload.trim() : ""
  const spoken = found?.message ?? (plain === "" ? undefined : plain)
  return {
    kind: "provider",
    message: spoken ?? (name === undefined ? "The provider reported an error without a message." : name),
    type: name,
    code: found?.code,
    status: found?.status,
    requestId: found?.requestId,
    retryAfterMillis: found?.retryAfterMillis,
    limitWindow: found?.limitWindow,
    ...(payload === "" ? undefined : { body: payload })
  }
}
