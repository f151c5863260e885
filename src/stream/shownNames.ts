/**
 * Names that others chose, made fit for metrics, spans and events: no longer and no more of them than a backend bears.
 *
 * A server may call its model anything, and anew in each answer; every new name would be a new series of a metric.
 *
 * @since 0.1.0
 */

/** Longer than any model, ARNs of Bedrock's inference profiles included. */
const maxLength = 256

/**
 * The name, cut to 256 characters with "…" at the cut.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const shownName = (name: string): string =>
  name.length <= maxLength ? name : `${name.slice(0, maxLength - 1).toWellFormed()}…`

/** What OpenTelemetry calls the rest: https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/ */
const otherName = "_OTHER"

/**
 * The first so many different names; every other is `_OTHER`.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class ShownNames {
  private readonly known = new Set<string>()
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  of(name: string): string {
    const shown = shownName(name)
    if (this.known.has(shown)) return shown
    if (this.known.size >= this.limit) return otherName
    this.known.add(shown)
    return shown
  }
}
