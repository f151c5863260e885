/** The modules that the variant names, separated by commas, and nothing else. */
import type { Make } from "../client.ts"

export const make: Make = async ({ variant }) => {
  const modules = await Promise.all(variant.split(",").map((name) => import(name) as Promise<object>))
  const size = modules.length
  return { stream: async () => size, generate: async () => size }
}
