/**
 * The recommended HTTP client on Node: `node:http` and `node:https` with kept connections, read without web streams.
 *
 * @since 0.1.0
 */
export * from "./node/HttpClient.ts"
