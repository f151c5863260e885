// A gateway on a loopback port, in front of two simulators: a primary that is told how to fail, and a backup.
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import * as Registry from "../../src/config/Registry.ts"
import type { Instance, LlmConfig } from "../../src/config/schema.ts"
import * as Gateway from "../../src/gateway/Gateway.ts"
import { layerHttpClient } from "../../src/node.ts"
import * as Simulator from "../../src/testing/Simulator.ts"

/** The keys of the instances; none of them may ever be seen by a client. */
export const secrets = {
  ANTHROPIC_API_KEY: "sk-ant-Primary-Q7w8E9r0T1y2",
  OPENAI_API_KEY: "sk-Backup-A1b2C3d4E5f6",
  GEMINI_API_KEY: "AIza-Other-Z9y8X7w6V5u4"
}

export interface Served {
  readonly url: string
  readonly primary: Simulator.Service
  readonly backup: Simulator.Service
}

export interface Serving extends Gateway.Options {
  /** Changes of the instances `claude` (primary), `gpt` and `gemini` (backup). */
  readonly instances?: Partial<Record<"claude" | "gpt" | "gemini", Partial<Instance>>>
  /** Variables beside the keys of the instances. */
  readonly variables?: Readonly<Record<string, string>>
}

const configOf = (primary: string, backup: string, changed: Serving["instances"] = {}): LlmConfig => ({
  default: "claude",
  instances: {
    claude: {
      provider: "anthropic",
      model: "claude-sonnet-4-5",
      baseUrl: `${primary}/v1`,
      retry: false,
      fallback: ["gpt"],
      ...changed.claude
    },
    gpt: { provider: "openai", model: "gpt-5", baseUrl: `${backup}/v1`, retry: false, ...changed.gpt },
    gemini: { provider: "gemini", model: "gemini-3-pro", baseUrl: `${backup}/v1beta`, retry: false, ...changed.gemini }
  }
})

const program = ({ instances, variables, ...options }: Serving) =>
  Effect.gen(function*() {
    const primary = yield* Simulator.make()
    const backup = yield* Simulator.make()
    const server = createServer()
    const gateway = HttpRouter.serve(Gateway.layer(options), { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => server, {
        port: 0,
        host: "127.0.0.1",
        gracefulShutdownTimeout: "100 millis"
      })),
      Layer.provide(Registry.layer(configOf(primary.url, backup.url, instances))),
      Layer.provide(layerHttpClient),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { ...secrets, ...variables } })))
    )
    const context = yield* Layer.build(gateway)
    // Clients keep connections, which would be waited for.
    yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    const url = yield* HttpServer.addressFormattedWith(Effect.succeed).pipe(Effect.provideContext(context))
    const served: Served = { url, primary, backup }
    return served
  })

/** Serves a gateway while it is used. */
export const serving = <A, E>(options: Serving, use: (served: Served) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(program(options), use))

/** What a request is answered with. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- JSON of several wires, looked at field by field
  readonly json: any
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Sends JSON, or nothing. */
export const send = (
  url: string,
  options: { readonly body?: unknown; readonly headers?: Record<string, string>; readonly method?: string } = {}
): Effect.Effect<Answered> =>
  Effect.promise(async (signal) => {
    const { body, headers, method } = options
    const response = await fetch(url, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { ...(body === undefined ? undefined : { "content-type": "application/json" }), ...headers },
      signal,
      ...(body === undefined ? undefined : { body: typeof body === "string" ? body : JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: parsed(text) }
  })
