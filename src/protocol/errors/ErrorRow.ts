/**
 * The form of a documented error, and the builder of its rows. The rows are in `LabErrors.ts` and `HostErrors.ts`.
 *
 * @since 0.1.0
 */
import { isRetryableStatus } from "../../LlmError.ts"
import type { Overflow } from "./Overflow.ts"
import type { ProviderReasonTag } from "./Rules.ts"

/**
 * One documented mapping.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ErrorTableRow {
  /** Id of the provider that answers so. */
  readonly provider: string
  /** Absent for an error inside a 200. */
  readonly status?: number | undefined
  /** Error type, as the provider sends it. */
  readonly type?: string | undefined
  /** Error code, as the provider sends it. */
  readonly code?: string | number | undefined
  /** The provider's words, or an example of them. */
  readonly message: string
  /** Tag of the reason that it becomes. */
  readonly reason: ProviderReasonTag
  /** What was too much, of a `ContextLength`. */
  readonly kind?: Overflow["kind"] | undefined
  /** Whether the same request may succeed later. */
  readonly retryable: boolean
  /** URL of where it is documented or was reported. */
  readonly source: string
}

/**
 * One row without what its group states.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Cells = readonly [
  status: number | undefined,
  type: string | undefined,
  code: string | number | undefined,
  message: string,
  reason: ProviderReasonTag,
  kind?: Overflow["kind"]
]

/**
 * Rows of one provider and source; whether they are retryable follows from reason and status.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const rowsOf = (provider: string, source: string, cells: ReadonlyArray<Cells>): ReadonlyArray<ErrorTableRow> =>
  cells.map(([status, type, code, message, reason, kind]) => ({
    provider,
    ...(status === undefined ? undefined : { status }),
    ...(type === undefined ? undefined : { type }),
    ...(code === undefined ? undefined : { code }),
    message,
    reason,
    ...(reason === "ContextLength" ? { kind: kind ?? "tokens" } : undefined),
    retryable: reason === "RateLimit" || reason === "Overloaded" ||
      (reason === "Provider" && (status === undefined || isRetryableStatus(status))),
    source
  }))

/**
 * A public thread that reports an error.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const github = (thread: string): string => `https://github.com/${thread}`
