/**
 * What telemetry is asked for: which conventions, and whether content is recorded.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/**
 * Settings of telemetry. What is left out is read from the environment.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  /**
   * Names that are emitted: those of the current GenAI conventions, the older ones of semantic conventions 1.37 to 1.41, or both.
   *
   * @default as `OTEL_SEMCONV_STABILITY_OPT_IN` says: `gen_ai/dup` both, `gen_ai/older` the older ones; else the current ones
   */
  readonly conventions?: "current" | "older" | "both" | undefined
  /**
   * Where prompts, answers, tool definitions, arguments and results are recorded: nowhere, on spans, as events of spans, or both.
   *
   * @default as `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says: `SPAN_ONLY` or `true`, `EVENT_ONLY`, `SPAN_AND_EVENT`; else nowhere
   */
  readonly captureContent?: "none" | "span" | "event" | "both" | undefined
  /** Goes over every text that is recorded, after what looks like a key was masked. Must not throw; what it throws on is left out. */
  readonly redact?: ((text: string) => string) | undefined
  /** Longest recorded value in characters; one that is longer is cut, and says so. @default 65536 */
  readonly maxContentLength?: number | undefined
}

/**
 * The settings of a fiber's calls.
 *
 * @stability stable
 * @category references
 * @since 0.1.0
 */
export const TelemetrySettings: Context.Reference<Settings> = Context.Reference<Settings>("effect-llm/Telemetry", {
  defaultValue: () => ({})
})

/** Settings with nothing left out. */
export interface Resolved {
  readonly current: boolean
  readonly older: boolean
  readonly onSpan: boolean
  readonly asEvent: boolean
  readonly redact: ((text: string) => string) | undefined
  readonly maxContentLength: number
}

interface Environment {
  readonly conventions: "current" | "older" | "both"
  readonly captureContent: "none" | "span" | "event" | "both"
}

/**
 * https://opentelemetry.io/docs/specs/semconv/non-normative/code-attrs-migration/ and its kind: a list with commas, `<area>/dup` emits
 * old and new names. `gen_ai_latest_experimental` is what is emitted anyway.
 */
const conventionsIn = (optIn: string): Environment["conventions"] => {
  const values = optIn.split(",").map((value) => value.trim())
  if (values.includes("gen_ai/dup")) return "both"
  return values.includes("gen_ai/older") ? "older" : "current"
}

const captureIn = (value: string): Environment["captureContent"] => {
  switch (value.trim().toLowerCase()) {
    case "true":
    case "span_only":
      return "span"
    case "event_only":
      return "event"
    case "span_and_event":
      return "both"
    default:
      return "none"
  }
}

const variable = (name: string): Config.Config<string> => Config.withDefault(Config.String(name), "")

const environment = Effect.map(
  Effect.all([
    Effect.orElseSucceed(variable("OTEL_SEMCONV_STABILITY_OPT_IN"), () => ""),
    Effect.orElseSucceed(variable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"), () => "")
  ]),
  ([optIn, capture]): Environment => ({ conventions: conventionsIn(optIn), captureContent: captureIn(capture) })
)

/** Read once: a process's environment stays as it is. */
const read = new WeakMap<object, Environment>()

const given: Environment = { conventions: "current", captureContent: "none" }

const resolved = (settings: Settings, { captureContent, conventions }: Environment): Resolved => {
  const { captureContent: capture = captureContent, conventions: names = conventions } = settings
  return {
    current: names !== "older",
    older: names !== "current",
    onSpan: capture === "span" || capture === "both",
    asEvent: capture === "event" || capture === "both",
    redact: settings.redact,
    maxContentLength: settings.maxContentLength ?? 65_536
  }
}

/** Resolved settings by what they were resolved from, so that a call makes nothing. */
const known = new WeakMap<Environment, WeakMap<Settings, Resolved>>()

const remembered = (settings: Settings, environment: Environment): Resolved => {
  let bySettings = known.get(environment)
  if (bySettings === undefined) known.set(environment, bySettings = new WeakMap())
  let found = bySettings.get(settings)
  if (found === undefined) bySettings.set(settings, found = resolved(settings, environment))
  return found
}

/**
 * Runs with the settings of the fiber.
 *
 * @stability stable
 * @category running
 * @since 0.1.0
 */
export const withSettings = <A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  f: (settings: Resolved) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const settings = fiber.getRef(TelemetrySettings)
  if (settings.conventions !== undefined && settings.captureContent !== undefined) return f(remembered(settings, given))
  const provider = fiber.getRef(ConfigProvider.ConfigProvider)
  const found = read.get(provider)
  if (found !== undefined) return f(remembered(settings, found))
  return Effect.flatMap(environment, (found) => {
    read.set(provider, found)
    return f(remembered(settings, found))
  })
}
