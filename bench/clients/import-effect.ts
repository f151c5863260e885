/** `import "effect"` and nothing else: what the cold start of an Effect application costs without this library. */
import type { Make } from "../client.ts"

export const make: Make = async () => {
  const effect = await import("effect")
  const size = Object.keys(effect).length
  return { stream: async () => size, generate: async () => size }
}
