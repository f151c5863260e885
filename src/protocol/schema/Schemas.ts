/**
 * The schemas of one request: spelled for a host when the request is encoded, and kept to read its answer by. The same for
 * all wires.
 *
 * @since 0.1.0
 */
import type { LlmRequest, ResponseFormat } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { FunctionTool } from "../../LlmTool.ts"
import type { Json, JsonObject } from "../../Message.ts"
import type { Misfit } from "../../validation/jsonSchema/misfits.ts"
import { isOfSchema } from "../../validation/jsonSchema/ofEffect.ts"
import type { Change } from "./Changing.ts"
import type { Compiled } from "./compile.ts"
import type { Dialect, Dialects, PlainDialect } from "./Dialect.ts"
import { anyObject, anySchema } from "./dialects.ts"

/**
 * How values of an answer are read.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  /** Whether they have another form than the caller's schema says. */
  readonly changed: boolean
  readonly undo: (answer: Json) => Json
  readonly change: Change
  /** Where a value breaks what no host could be told. */
  readonly check: (value: Json) => Misfit | undefined
}

/**
 * What of a request's schemas its answer is read by.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Sent {
  readonly answer: Reading | undefined
  /** By name of the tool. */
  readonly tools: ReadonlyMap<string, Reading>
}

/** A schema as it is sent, and whether the host is to hold the model to it. @stability experimental @category models @since 0.1.0 */
export interface Spelled {
  readonly schema: JsonObject
  readonly strict: boolean
  /** Whether it is in the words of the host's dialect, rather than as it was given. */
  readonly inDialect: boolean
}

/**
 * Compiles a schema for a dialect.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Compile = (schema: JsonObject, dialect: Dialect | PlainDialect) => Compiled

/** What of the input of an encoder its schemas are spelled by. */
interface Input {
  readonly request: LlmRequest
  readonly compile?: Compile | undefined
}

type Format = ResponseFormat & { readonly type: "json-schema" }

interface Refusal {
  readonly refused: { readonly field: string; readonly message: string }
}

/** Of a caller that did not load it; services do. */
const notGiven = (field: string): Refusal => ({
  refused: { field, message: "The compiler of schemas was not given to the encoder." }
})

const fits = (): undefined => undefined

/**
 * Spells the schemas of one request.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export class Schemas {
  private readonly dialects: Dialects
  private readonly compile: Compile | undefined
  private readonly warnings: Array<Warning>
  private readonly tools = new Map<string, Reading>()
  private answered: Reading | undefined
  /** What strict schemas have used of what a host counts over the whole request. */
  private optional = 0
  private unions = 0
  private strictTools = 0

  constructor(dialects: Dialects, { compile, request }: Input, warnings: Array<Warning>) {
    this.dialects = dialects
    this.compile = compile
    this.warnings = warnings
    const format = request.responseFormat
    if (
      compile !== undefined && format?.type === "json-schema" && format.strict !== false &&
      dialects.answer !== undefined
    ) this.count(compile(format.schema, dialects.answer))
  }

  private count({ counts, strict }: Compiled): void {
    if (!strict) return
    this.optional += counts.optional
    this.unions += counts.unions
  }

  private hasRoom({ counts }: Compiled, { limits }: Dialect): boolean {
    return this.optional + counts.optional <= (limits.optional ?? Infinity) &&
      this.unions + counts.unions <= (limits.unions ?? Infinity) &&
      this.strictTools < (limits.strictTools ?? Infinity)
  }

  private warn(at: string, { warnings }: Compiled, more: string): void {
    for (const warning of warnings) {
      this.warnings.push({ field: `${at}${warning.at}`, message: `${warning.message}${more}` })
    }
  }

  /** The parameters of a tool; `at` is its place in the request. */
  tool(tool: FunctionTool, at: string): Spelled | Refusal {
    const field = `${at}.parameters`
    const { compile } = this
    if (compile === undefined) return notGiven(field)
    const { strictTools, tools } = this.dialects
    const asked = tool.strict === true ? strictTools : undefined
    let made = compile(tool.parameters, asked ?? tools)
    if (made.refused !== undefined) return { refused: { field, message: made.refused } }
    if (asked !== undefined && made.strict && !this.hasRoom(made, asked)) {
      this.warnings.push({
        field,
        message:
          `${asked.name} counts members that may be absent, unions and strict tools over a whole request, and there are too many: the tool was sent without strict. Make fewer tools strict.`
      })
      made = compile(tool.parameters, tools)
    } else if (asked !== undefined) {
      this.warn(field, made, made.strict ? "" : " The tool was sent without strict.")
      this.count(made)
      if (made.strict) this.strictTools++
    } else this.warn(field, made, "")
    if (made.changed || made.checks.length > 0) {
      this.tools.set(tool.name, {
        changed: made.changed,
        undo: made.undo,
        change: made.change,
        // What has a decoder of its own is held by that.
        check: made.checks.length > 0 && tool.decode === undefined ? made.check : fits
      })
    }
    return { schema: made.schema, strict: asked !== undefined && made.strict, inDialect: made.strict }
  }

  /** The form of the answer. */
  answer(format: Format): Spelled | Refusal {
    const { answer, plainAnswer } = this.dialects
    const asked = format.strict === false ? undefined : answer
    return this.answerIn(
      format,
      asked ?? plainAnswer ?? anySchema,
      asked === undefined ? "" : " The schema was sent without strict."
    )
  }

  /** The form of the answer where it is only told to the model; an object, where the host's JSON mode gives nothing else. */
  instruction(format: Format, root: "object" | "any"): Spelled | Refusal {
    return this.answerIn(format, root === "object" ? anyObject : anySchema, "")
  }

  private answerIn(format: Format, dialect: Dialect | PlainDialect, unheld: string): Spelled | Refusal {
    const { compile } = this
    const field = "responseFormat.schema"
    if (compile === undefined) return notGiven(field)
    const made = compile(format.schema, dialect)
    if (made.refused !== undefined) return { refused: { field, message: made.refused } }
    this.warn(field, made, made.strict ? "" : unheld)
    this.answered = {
      changed: made.changed,
      undo: made.undo,
      change: made.change,
      check: isOfSchema(format.schema) ? fits : made.check
    }
    return { schema: made.schema, strict: made.strict, inDialect: made.strict }
  }

  /** What the answer is read by; `undefined` when it is as it comes. */
  get sent(): { readonly schemas: Sent } | undefined {
    return this.answered === undefined && this.tools.size === 0
      ? undefined
      : { schemas: { answer: this.answered, tools: this.tools } }
  }
}
