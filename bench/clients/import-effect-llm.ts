/** Importing this library and nothing else: what it adds to the start of an application, before the first request. */
import type { Make } from "../client.ts"

export const make: Make = async ({ library }) => {
  const all = await import(new URL("index.js", library).href) as object
  const size = Object.keys(all).length
  return { stream: async () => size, generate: async () => size }
}
