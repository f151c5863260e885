/**
 * What the types of tools, handlers and agents promise. Checked by `tsc`; nothing runs.
 */
import { Context, Data, Effect, type Layer, Schema, type Stream } from "effect"
import { Agent, Handlers, type LlmService, LlmTool, type Run } from "../../src/index.ts"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(): T => true as T

class Broke extends Data.TaggedError("Broke")<{ readonly why: string }> {}
class Denied extends Data.TaggedError("Denied")<{ readonly why: string }> {}
class Archive extends Context.Service<Archive, { readonly read: (name: string) => Effect.Effect<string, Broke> }>()(
  "test/Archive"
) {}

const weather = LlmTool.make("get_weather", {
  parameters: Schema.Struct({ city: Schema.String }),
  success: Schema.Struct({ celsius: Schema.Number })
})
const read = LlmTool.make("read", { parameters: Schema.Struct({ name: Schema.String }) })
const told = LlmTool.make("told", { failureMode: "return" })
const search = LlmTool.provider("web_search", { type: "web_search" })

// Errors and requirements of handlers stand in the type, but for those that the model is told.
const handlers = Handlers.make([weather, read, told, search], {
  get_weather: ({ city }) => Effect.succeed({ celsius: city.length }),
  read: ({ name }) => Effect.flatMap(Archive, (archive) => archive.read(name)),
  told: () => Effect.fail(new Denied({ why: "closed" }))
})
holds<Equals<typeof handlers, Handlers.Handlers<Broke, Archive>>>()

// And with them in the type of whoever runs them.
const agent = Agent.make({ tools: handlers })
holds<Equals<typeof agent, Agent.Agent<Broke, Archive>>>()
export const run = Agent.run(agent, { prompt: "Go." })
holds<
  Equals<
    typeof run,
    Effect.Effect<Agent.Outcome, Agent.RunFailed<Broke> | Run.RunRefusal, Archive | LlmService.LlmService>
  >
>()
export const stream = Agent.stream(agent, { prompt: "Go." })
holds<
  Equals<
    typeof stream,
    Stream.Stream<Agent.AgentEvent, Agent.RunFailed<Broke> | Run.RunRefusal, Archive | LlmService.LlmService>
  >
>()

// A handler may answer in its own words, or later.
Handlers.make([weather], { get_weather: () => Effect.succeed(Handlers.output("19 degrees")) })
Handlers.make([weather], { get_weather: () => Effect.succeed(Handlers.later) })

// @ts-expect-error -- a handler is missing
Handlers.make([weather, read], { get_weather: () => Effect.succeed({ celsius: 1 }) })
// @ts-expect-error -- there is no such tool
Handlers.make([weather], { get_weather: () => Effect.succeed({ celsius: 1 }), rain: () => Effect.succeed("") })
// @ts-expect-error -- the name is misspelt
Handlers.make([weather], { getWeather: () => Effect.succeed({ celsius: 1 }) })
// @ts-expect-error -- another result than the tool has
Handlers.make([weather], { get_weather: () => Effect.succeed({ celsius: "warm" }) })
Handlers.make([weather], {
  // @ts-expect-error -- other arguments than the tool has
  get_weather: ({ town }: { readonly town: string }) => Effect.succeed({ celsius: town.length })
})
// @ts-expect-error -- a provider runs this tool itself
Handlers.make([search], { web_search: () => Effect.succeed("") })
// @ts-expect-error -- not what the arguments are
LlmTool.make("a", { parameters: Schema.Struct({ n: Schema.Number }), needsApproval: ({ m }) => m > 1 })

// Handlers of a layer: what they need, the layer needs; they fail with what their tools declare.
const declared = LlmTool.make("declared", { failure: Broke as unknown as Schema.Codec<Broke> })
const Tools = Handlers.tag("test/Tools", [weather, declared])
export const live = Tools.layer({
  get_weather: () => Effect.succeed({ celsius: 1 }),
  declared: () => Effect.flatMap(Archive, (archive) => archive.read("a"))
})
holds<Equals<typeof live, Layer.Layer<Handlers.Provided<"test/Tools">, never, Archive>>>()
export const ofTag = Agent.make({ tools: Tools })
holds<Equals<typeof ofTag, Agent.Agent<Broke, Handlers.Provided<"test/Tools">>>>()
// @ts-expect-error -- the tool declares no such failure
Tools.layer({ get_weather: () => Effect.fail(new Denied({ why: "" })), declared: () => Effect.succeed("") })

// An agent as a tool needs what the agent needs.
export const below = Agent.asTool(agent, { name: "helper" })
holds<Equals<typeof below, Handlers.Handlers<never, Archive | LlmService.LlmService>>>()

// Options that fail or need something say so.
export const watched = Agent.make({ stopWhen: () => Effect.as(Archive, true) })
holds<Equals<typeof watched, Agent.Agent<never, Archive>>>()

// @ts-expect-error -- both a prompt and messages
Agent.run(agent, { prompt: "a", messages: [] })
// @ts-expect-error -- decisions belong to a state
Agent.run(agent, { prompt: "a", decisions: [] })
