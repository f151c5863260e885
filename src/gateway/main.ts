#!/usr/bin/env node
/**
 * The program `effect-llm`: `gateway` serves a configuration, `check` tells what is wrong with one, `key` makes a virtual key.
 *
 * `effect-llm gateway --config llm.toml` listens on the loopback unless told otherwise, and prints one line that holds its address once it
 * listens. SIGTERM and SIGINT let calls that run end, for as long as `drain` says. A configuration that cannot be ends it with every
 * problem on standard error, and exit code 1. Node only.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import * as Registry from "../config/Registry.ts"
import { parseJson } from "../json/parse.ts"
import type { LlmError } from "../LlmError.ts"
import { layerHttpClient } from "../node/HttpClient.ts"
import * as Body from "../protocol/server/Json.ts"
import { problemsOf, targetsOf } from "./config.ts"
import { Draining } from "./draining.ts"
import { type Configured, read } from "./file.ts"
import * as Gateway from "./Gateway.ts"

/** The program has told what is wrong, and ends. */
class Ended extends Error {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}

const end = (problems: ReadonlyArray<string>) =>
  Effect.andThen(
    Effect.forEach(problems, (problem) => Console.error(problem), { discard: true }),
    Effect.fail(new Ended())
  )

const wrong = (error: LlmError) => end([error.reason.message])

const configured = (path: string): Effect.Effect<Configured, Ended, FileSystem.FileSystem> =>
  Effect.catch(read(path), end)

// =============================================================================
// effect-llm gateway
// =============================================================================

const defaultPort = 4141

/** A server with the limits of the gateway on connections, and on how long a request may take to come. */
const serverOf = ({ limits = {} }: Gateway.GatewayConfig) => {
  const server = createServer({
    // Until the headers have come, and the request; the gateway itself watches over bodies.
    headersTimeout: 20_000,
    requestTimeout: 300_000,
    keepAliveTimeout: 75_000,
    maxHeaderSize: 64 * 1024
  })
  server.maxConnections = limits.connections ?? 4096
  return server
}

const serving = (config: string, gateway: Gateway.GatewayConfig, server: Server) => {
  const listening = NodeHttpServer.layer(() => server, {
    host: gateway.host ?? "127.0.0.1",
    port: gateway.port ?? defaultPort,
    gracefulShutdownTimeout: gateway.limits?.drain ?? "30 seconds",
    websocket: { maxPayload: gateway.limits?.bodyBytes ?? 32 * 1024 * 1024 }
  })
  // What is still open after the calls have had their time, such as idle connections.
  const closing = Layer.effectDiscard(
    Effect.andThen(
      HttpServer.HttpServer,
      Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    )
  )
  return HttpRouter.serve(Gateway.layer(gateway), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(closing),
    Layer.provideMerge(listening),
    // Instances follow the file; the gateway's own table is read once.
    Layer.provide(Registry.layerWatch(config)),
    Layer.provide(layerHttpClient)
  )
}

/** Connections that become idle after the server has stopped listening would be waited for, until their clients go. */
const closingIdle = (server: Server) =>
  Effect.addFinalizer(() =>
    Effect.sync(() => {
      const timer = setInterval(() => server.closeIdleConnections(), 50)
      server.on("close", () => clearInterval(timer))
      timer.unref()
    })
  )

const listens = (error: unknown): Effect.Effect<never, Ended> =>
  end([
    `Cannot listen: ${
      error instanceof Error && error.cause instanceof Error ? error.cause.message : "the address is not to be had"
    }.`
  ])

const gateway = Command.make("gateway", {
  config: Flag.String("config").pipe(
    Flag.withAlias("c"),
    Flag.withDescription("Configuration file, .toml or .json"),
    Flag.withDefault("llm.toml")
  ),
  host: Flag.optional(Flag.String("host").pipe(Flag.withDescription("Address to listen on (127.0.0.1)"))),
  port: Flag.optional(Flag.Int("port").pipe(Flag.withDescription("Port to listen on; 0 takes a free one (4141)"))),
  strict: Flag.Boolean("strict").pipe(
    Flag.withDescription("Refuse requests of which something would be left out"),
    Flag.withDefault(false)
  )
}, ({ config, host, port, strict }) =>
  Effect.gen(function*() {
    const { gateway, llm } = yield* configured(config)
    const asked = {
      ...gateway,
      ...(Option.isSome(host) ? { host: host.value } : undefined),
      ...(Option.isSome(port) ? { port: port.value } : undefined),
      ...(strict ? { strict } : undefined)
    }
    const problems = problemsOf(asked, targetsOf(llm))
    const server = serverOf(asked)
    if (problems.length > 0) return yield* end(problems)
    return yield* Effect.scoped(
      Effect.gen(function*() {
        const draining = yield* Deferred.make<void>()
        const context = yield* Layer.build(serving(config, asked, server)).pipe(
          Effect.provideService(Draining, draining),
          Effect.catchTags({ LlmError: wrong, ServeError: listens })
        )
        yield* closingIdle(server)
        yield* Effect.addFinalizer(() => Deferred.succeed(draining, undefined))
        yield* HttpServer.addressFormattedWith((address) => Console.log(`effect-llm gateway: ${address}`)).pipe(
          Effect.provideContext(context)
        )
        return yield* Effect.never
      })
    )
  })).pipe(Command.withDescription("Serve the instances of a configuration to clients of OpenAI, Anthropic and Google"))

// =============================================================================
// effect-llm check
// =============================================================================

const check = Command.make("check", {
  file: Argument.String("file").pipe(Argument.withDescription("Configuration file, .toml or .json"))
}, ({ file }) =>
  Effect.flatMap(configured(file), ({ gateway, llm }) => {
    const [instances, routes, keys] = [Object.keys(llm.instances), gateway.routes ?? [], gateway.keys ?? []]
    return Console.log(
      `${file} can be used: ${instances.length} instances, ${routes.length} routes, ${keys.length} keys.`
    )
  })).pipe(Command.withDescription("Tell what is wrong with a configuration"))

// =============================================================================
// effect-llm key
// =============================================================================

const key = Command.make("key", {}, () =>
  Effect.gen(function*() {
    const made = `sk-llm-${randomBytes(32).toString("base64url")}`
    const hash = yield* Effect.catch(Gateway.hash(made), wrong)
    yield* Console.log(`key:  ${made}\nhash: ${hash}`)
  })).pipe(Command.withDescription("Make a virtual key: the key for a client, its hash for the configuration"))

// =============================================================================
// The program
// =============================================================================

const version = Body.string(
  Body.object(parseJson(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))).version
)

const program = Command.make("effect-llm").pipe(
  Command.withDescription("One door to every large language model"),
  Command.withSubcommands([gateway, check, key])
)

/** Being told to stop is no failure. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

NodeRuntime.runMain(
  Command.run(program, { version }).pipe(
    Effect.provide([
      NodeServices.layer,
      // Standard output has the address, and nothing else.
      Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])
    ])
  ),
  { teardown }
)
