/**
 * Tools of `effect/ai` as tools of ours, and the other way: definitions alone. What runs them is in `handlers.ts`.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as LlmTool from "../../LlmTool.ts"
import type { Json, JsonObject, ToolResultPart } from "../../Message.ts"
import { fromPrompt } from "./fromPrompt.ts"
import { jsonOf, objectOf } from "./metadata.ts"
import { toPrompt } from "./toPrompt.ts"

// =============================================================================
// Tools of providers
// =============================================================================

/** Namespace of tools of ours, whose arguments are the entry of the wire. */
const namespace = "effect-llm"

/** Where the id of a tool is not what its wire calls it. https://platform.claude.com/docs/en/agents-and-tools/tool-use/computer-use-tool */
const types: { readonly [id: string]: string } = { "anthropic.computer_use_20241022": "computer_20241022" }

/** Wires that want the name of a tool beside its type. https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview */
const named = new Set(["anthropic"])

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The entry of the wire for a tool of a provider: its type, its name where the wire wants one, its arguments as the wire spells them. */
const definitionOf = (tool: Tool.AnyProviderDefined): JsonObject => {
  const args = objectOf(jsonOf(tool.args)) ?? {}
  const id: string = tool.id
  const dot = id.indexOf(".")
  const family = id.slice(0, dot)
  if (family === namespace) return args
  const { failureMode: _, ...given } = args
  return {
    type: types[id] ?? id.slice(dot + 1),
    ...(named.has(family) ? { name: tool.providerName } : undefined),
    ...Object.fromEntries(Object.entries(given).map(([name, value]) => [snake(name), value]))
  }
}

// =============================================================================
// From effect/ai
// =============================================================================

/** Content for the model as `effect/ai` spells it. */
export const contentOf = (parts: ReadonlyArray<Prompt.ToolModelOutputPart>): ToolResultPart["content"] => {
  const [message] = fromPrompt(
    Prompt.fromMessages([
      Prompt.toolMessage({
        content: [
          Prompt.toolResultPart({
            id: "",
            name: "",
            isFailure: false,
            result: "",
            modelOutput: parts,
            providerExecuted: false
          })
        ]
      })
    ])
  )
  const content = message?.content
  const part = typeof content === "string" ? undefined : content?.[0]
  return part?.type === "tool-result" ? part.content : ""
}

/** Content for the model as ours. */
export const partsOf = (content: ToolResultPart["content"]): ReadonlyArray<Prompt.ToolModelOutputPart> | undefined => {
  if (typeof content === "string") return undefined
  const [message] = toPrompt([{ role: "tool", content: [{ type: "tool-result", toolCallId: "", content }] }]).content
  const [part] = message?.role === "tool" ? message.content : []
  return part?.type === "tool-result" ? part.modelOutput : undefined
}

type Decode = (input: unknown) => Effect.Effect<unknown, Schema.SchemaError>

/** Arguments decoded as `Toolkit` decodes them, with the services there are. */
const decoderOf = (tool: Tool.Any, services: Context.Context<never>): Decode | undefined =>
  Schema.isSchema(tool.parametersSchema)
    ? (input) =>
      Effect.provideContext(
        Schema.decodeUnknownEffect(tool.parametersSchema)(input) as Effect.Effect<unknown, Schema.SchemaError>,
        services
      )
    : undefined

const approvalOf = (
  tool: Tool.Any,
  decode: Decode | undefined
): LlmTool.Execution<unknown, unknown>["needsApproval"] => {
  const { needsApproval } = tool
  if (typeof needsApproval !== "function") return needsApproval
  return (input, { messages, toolCallId }) =>
    Effect.flatMap(decode === undefined ? Effect.succeed(input) : decode(input), (params) => {
      const asked = needsApproval(params, { toolCallId, messages: toPrompt(messages).content })
      return Effect.isEffect(asked) ? asked : Effect.succeed(asked)
    })
}

const executionOf = (tool: Tool.Any, decode: Decode | undefined): LlmTool.Execution<unknown, unknown> => {
  const { toModelOutput } = tool
  const repeatable = Context.get(tool.annotations, Tool.Idempotent) || Context.get(tool.annotations, Tool.Readonly)
  const needsApproval = approvalOf(tool, decode)
  return {
    ...(needsApproval === undefined ? undefined : { needsApproval }),
    ...(repeatable ? { idempotent: true } : undefined),
    ...(toModelOutput === undefined ? undefined : { toModel: (value: unknown) => contentOf(toModelOutput(value)) })
  }
}

/**
 * A tool of `effect/ai` as one of ours. What decoding gives is the input itself: `Toolkit` decodes it again where it runs the tool.
 */
export const fromTool = (tool: Tool.Any, services: Context.Context<never> = Context.empty()): LlmTool.LlmTool => {
  const decode = decoderOf(tool, services)
  const execution = executionOf(tool, decode)
  const checked = decode === undefined
    ? undefined
    : (input: unknown): Effect.Effect<unknown, Schema.SchemaError> => Effect.as(decode(input), input)
  if (Tool.isProviderDefined(tool)) {
    const made = LlmTool.provider(tool.providerName, definitionOf(tool as Tool.AnyProviderDefined))
    return (tool.requiresHandler as boolean)
      ? { ...made, ...(checked === undefined ? undefined : { decode: checked }), execution }
      : { ...made, name: tool.name }
  }
  const description = Tool.getDescription(tool)
  const strict = Tool.getStrictMode(tool)
  const options = {
    ...(description === undefined ? undefined : { description }),
    ...(strict === undefined ? undefined : { strict }),
    failureMode: tool.failureMode,
    ...execution
  }
  if (Tool.isDynamic(tool) && tool.jsonSchema !== undefined) {
    return LlmTool.fromJsonSchema(tool.name, { ...options, parameters: objectOf(jsonOf(tool.jsonSchema)) ?? {} })
  }
  return {
    ...LlmTool.make(tool.name, { ...options, parameters: LlmTool.jsonSchemaOf(tool.parametersSchema) }),
    ...(checked === undefined ? undefined : { decode: checked })
  }
}

// =============================================================================
// To effect/ai
// =============================================================================

/** A schema of arguments that a function decodes. It is never encoded. */
const decodedBy = (decode: (input: unknown) => Effect.Effect<unknown, { readonly message: string }>): Schema.Top =>
  Schema.Unknown.pipe(Schema.decodeTo(
    Schema.Unknown,
    SchemaTransformation.transformEffect({
      decode: (input: unknown) =>
        Effect.mapError(decode(input), ({ message }) => new SchemaIssue.InvalidValue({ message }, Option.some(input))),
      encode: (value: unknown) => Effect.succeed(value)
    })
  ))

/** An error in the question asks, where `effect/ai` would run the tool; whatever is not plainly `false` asks. */
const asking = (needs: LlmTool.NeedsApproval<never>): Tool.NeedsApproval<Schema.Top> =>
  typeof needs !== "function" ? needs : (params, { messages, toolCallId }) =>
    Effect.suspend(() => {
      const context = { toolCallId, messages: fromPrompt(Prompt.fromMessages(messages)) }
      const answer = needs(params as never, context)
      return Effect.isEffect(answer) ? answer : Effect.succeed(answer)
    }).pipe(
      Effect.map((answer: unknown) => answer !== false),
      Effect.catchCause(() => Effect.succeed(true))
    )

/** The tool of `effect/ai` for one of ours. `failure` is what its handler may fail with. */
export const toTool = (tool: LlmTool.LlmTool): Tool.Any => {
  const execution = tool.type === "custom" ? undefined : tool.execution
  const approval = execution?.needsApproval === undefined ? undefined : asking(execution.needsApproval)
  if (tool.type === "provider") {
    const made = Tool.providerDefined({
      id: `${namespace}.${tool.name}`,
      customName: tool.name,
      providerName: tool.name,
      args: Schema.Unknown,
      parameters: tool.decode === undefined ? Schema.Unknown : decodedBy(tool.decode),
      success: Schema.Unknown,
      failure: Schema.Unknown,
      requiresHandler: tool.decode !== undefined
    })(tool.definition as never) as unknown as Tool.Any
    return approval === undefined ? made : made.setNeedsApproval(approval) as Tool.Any
  }
  const parameters: JsonObject = tool.type === "custom"
    ? { type: "object", properties: { input: { type: "string" } }, required: ["input"], additionalProperties: false }
    : tool.parameters
  const made = Tool.dynamic(tool.name, {
    ...(tool.description === undefined ? undefined : { description: tool.description }),
    parameters: parameters as { readonly [name: string]: Json },
    success: Schema.Unknown,
    failure: Schema.Unknown,
    failureMode: tool.type === "function" ? tool.failureMode ?? "error" : "error",
    ...(approval === undefined ? undefined : { needsApproval: approval })
  })
  const decode = tool.type === "function" ? tool.decode : undefined
  const own = decode === undefined ? made : Object.assign(made, { parametersSchema: decodedBy(decode) })
  const strict = tool.type === "function" ? tool.strict : undefined
  const repeatable = execution?.idempotent === true
  return [
    ...(strict === undefined ? [] : [(one: Tool.Any) => one.annotate(Tool.Strict, strict)]),
    ...(repeatable ? [(one: Tool.Any) => one.annotate(Tool.Idempotent, true)] : [])
  ].reduce<Tool.Any>((one, annotated) => annotated(one) as Tool.Any, own as unknown as Tool.Any)
}
