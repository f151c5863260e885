import { describe, expect, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { defaultRoutes } from "../src/policy/candidates/routes.ts"

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8")

describe("the documentation", () => {
  it("says of every reason what to do", () => {
    const headings = [...read("docs/reasons.md").matchAll(/^## (\w+)$/gm)].map(([, name]) => name)
    expect(headings.toSorted()).toEqual(Object.keys(defaultRoutes).toSorted())
  })

  it("has a picture of every policy that the page of policies names", () => {
    const pictures = globSync("docs/policies/*.svg", { cwd: new URL("../", import.meta.url) }).toSorted()
    const shown = [...read("docs/policies.md").matchAll(/\]\((policies\/\w+\.svg)\)/g)].map(([, path]) =>
      `docs/${path}`
    )
    expect(shown.toSorted()).toEqual(pictures)
  })
})
