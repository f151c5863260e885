// Holds the encoded body to the official SDK's types: it is the compiler that checks, the test only runs what it read.
import { assert, it } from "@effect/vitest"
import type { Cohere } from "cohere-ai"
import type { Body } from "../../src/protocol/CohereChat.ts"

// The SDK writes names in camel case and turns them into the wire's when it sends them.
type CamelCase<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : Name
type Camel<A> = A extends ReadonlyArray<infer Item> ? Array<Camel<Item>>
  : A extends object ? { [Key in keyof A as CamelCase<Key> & PropertyKey]: Camel<A[Key]> }
  : A

// The SDK adds `stream` itself.
type Known = Camel<Omit<Body<never>, "stream">>

const whole = (body: Known): Cohere.V2ChatRequest => body
const streamed = (body: Known): Cohere.V2ChatStreamRequest => body

it("The body of the Cohere wire has the type that the official SDK sends", () => {
  const body: Known = { model: "command-test", messages: [], toolChoice: "REQUIRED" }
  assert.deepStrictEqual<unknown>([whole(body), streamed(body)], [body, body])
})
