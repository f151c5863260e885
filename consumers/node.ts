/**
 * An application on Node: its client, and a server that answers once.
 */
import { Effect, type Layer } from "effect"
import { LlmService, OpenAiCompatible } from "effect-llm"
import { layerHttpClient, layerHttpClientOptions, type Options } from "effect-llm/node"
import type { HttpClient } from "effect/http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

export const options: Options = { maxIdleConnections: 8, idleMillis: undefined }
export const configured: Layer.Layer<HttpClient.HttpClient> = layerHttpClientOptions(options)

const server = createServer((_, response) => {
  const choices = [{ index: 0, message: { content: "Hi!" }, finish_reason: "stop" }]
  response.setHeader("content-type", "application/json").end(JSON.stringify({ id: "1", model: "small", choices }))
})
await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
const { port } = server.address() as AddressInfo
try {
  const response = await LlmService.generate({ prompt: "Hello" }).pipe(
    Effect.provide(OpenAiCompatible.layer({ baseUrl: `http://127.0.0.1:${port}/v1`, model: "small" })),
    Effect.provide(layerHttpClient),
    Effect.runPromise
  )
  if (response.text !== "Hi!") throw new Error(JSON.stringify(response))
} finally {
  server.close()
}
