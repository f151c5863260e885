/**
 * The schema of a reason, one row per class.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { PriorAttempt, schema as response } from "../message/response.ts"
import * as Reasons from "./reasons.ts"

type Row = Schema.Codec<Reasons.Reason, { readonly _tag: string }>
type ClassOf<R> = new(fields: never) => R

/** What a reason was made of: its fields and its message, without those that are absent. */
const fieldsOf = (reason: Reasons.Reason): object => {
  const fields: Record<string, unknown> = { message: reason.message }
  for (const [name, value] of Object.entries(reason)) if (value !== undefined) fields[name] = value
  return fields
}

const row = <R extends Reasons.Reason>(
  of: ClassOf<R>,
  tag: R["_tag"],
  fields: Schema.Struct.Fields
): Row =>
  Schema.Struct({ ...fields, _tag: Schema.Literal(tag) }).pipe(
    Schema.decodeTo(
      Schema.instanceOf(of, { expected: tag }),
      SchemaTransformation.transform({
        // The struct has checked what the class takes.
        decode: ({ _tag, ...fields }: object & { readonly _tag: string }) => new of(fields as never),
        encode: (reason: R) => ({ ...fieldsOf(reason), _tag: tag }) as never
      }) as never
    )
  ) as unknown as Row

const makeSchema = (): Row => {
  const optionalText = Schema.optional(Schema.String)
  /** A limit may be infinite, which JSON has no number for. */
  const number = Schema.toCodecJson(Schema.Number)
  const optionalNumber = Schema.optional(number)
  const optionalDuration = Schema.optional(Schema.DurationFromString)

  const common = { message: Schema.String, partial: Schema.optional(response) }

  const ofProvider = {
    ...common,
    status: optionalNumber,
    type: optionalText,
    code: Schema.optional(Schema.Union([Schema.String, number])),
    param: optionalText,
    body: optionalText,
    retryAfter: optionalDuration,
    shouldRetry: Schema.optional(Schema.Boolean)
  }

  const rows: { readonly [Tag in Reasons.ReasonTag]: Row } = {
    Configuration: row(Reasons.Configuration, "Configuration", { ...common, field: optionalText }),
    Validation: row(Reasons.Validation, "Validation", { ...ofProvider, field: optionalText }),
    Authentication: row(Reasons.Authentication, "Authentication", ofProvider),
    PermissionDenied: row(Reasons.PermissionDenied, "PermissionDenied", ofProvider),
    QuotaExhausted: row(Reasons.QuotaExhausted, "QuotaExhausted", ofProvider),
    RateLimit: row(Reasons.RateLimit, "RateLimit", ofProvider),
    Overloaded: row(Reasons.Overloaded, "Overloaded", ofProvider),
    NotFound: row(Reasons.NotFound, "NotFound", ofProvider),
    ContextLength: row(Reasons.ContextLength, "ContextLength", {
      ...ofProvider,
      kind: Schema.Literals(["tokens", "bytes", "media"]),
      limit: optionalNumber,
      actual: optionalNumber
    }),
    ContentPolicy: row(Reasons.ContentPolicy, "ContentPolicy", ofProvider),
    Provider: row(Reasons.Provider, "Provider", ofProvider),
    Network: row(Reasons.Network, "Network", { ...common, code: optionalText }),
    Timeout: row(Reasons.Timeout, "Timeout", {
      ...common,
      phase: Schema.Literals(["connect", "firstToken", "firstByte", "idle", "total"]),
      limit: Schema.DurationFromString
    }),
    ResponseParse: row(Reasons.ResponseParse, "ResponseParse", {
      ...common,
      status: optionalNumber,
      snippet: optionalText
    }),
    IncompleteStream: row(Reasons.IncompleteStream, "IncompleteStream", common),
    StructuredOutput: row(Reasons.StructuredOutput, "StructuredOutput", {
      ...common,
      text: Schema.String,
      kind: Schema.optional(Schema.Literals(["not-json", "misfit", "refusal", "length"]))
    }),
    ToolFailure: row(Reasons.ToolFailure, "ToolFailure", {
      ...common,
      toolName: Schema.String,
      toolCallId: optionalText
    }),
    CircuitBreakerOpen: row(Reasons.CircuitBreakerOpen, "CircuitBreakerOpen", {
      ...common,
      key: Schema.String,
      retryAfter: optionalDuration
    }),
    QueueFull: row(Reasons.QueueFull, "QueueFull", { ...common, retryAfter: optionalDuration }),
    BudgetExceeded: row(Reasons.BudgetExceeded, "BudgetExceeded", {
      ...common,
      scope: Schema.String,
      limit: number,
      spent: number
    }),
    FallbackExhausted: row(Reasons.FallbackExhausted, "FallbackExhausted", {
      ...common,
      attempts: Schema.Array(PriorAttempt),
      retryAfter: optionalDuration
    })
  }

  /** A reason of a later version: what it has in common with those of this one. */
  const unknown = Schema.Struct({
    ...ofProvider,
    _tag: Schema.String.check(
      Schema.makeFilter((tag: string) => !Object.hasOwn(rows, tag), { expected: "another tag" })
    )
  }).pipe(
    Schema.decodeTo(
      Schema.instanceOf(Reasons.Provider, { expected: "Provider" }),
      SchemaTransformation.transform({
        decode: ({ _tag, ...fields }) => new Reasons.Provider({ ...fields, type: _tag } as never),
        encode: (reason) => ({ ...fieldsOf(reason), _tag: "Provider" }) as never
      })
    )
  ) as unknown as Row

  return Schema.Union([...Object.values(rows), unknown])
}

/**
 * Schema of every reason.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const reason: Row = /* @__PURE__ */ makeSchema()
